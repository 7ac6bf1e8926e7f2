/* roxdb.h: RoxDB inside a program. The same engine as the server's, without sockets and threads.
 *
 *   roxdb_db* db = roxdb_open(NULL, NULL);
 *   const char* argv[] = {"SET", "greeting", "hello"};
 *   roxdb_reply* reply = roxdb_command(db, 3, argv, NULL);
 *   roxdb_reply_free(reply);
 *   roxdb_close(db);
 *
 * A roxdb_db belongs to one thread at a time; several may live in one process. Every function that
 * can fail says so in its result; nothing is printed and no exception leaves the library.
 */
#ifndef ROXDB_ROXDB_H
#define ROXDB_ROXDB_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ROXDB_API __attribute__((visibility("default")))
#else
#define ROXDB_API
#endif

#ifdef __cplusplus
#define ROXDB_NOEXCEPT noexcept
extern "C" {
#else
#define ROXDB_NOEXCEPT
#endif

typedef struct roxdb_db roxdb_db;

typedef struct roxdb_options {
  int databases; /* 0: 16 */
} roxdb_options;

/* What a command answered: a tree that belongs to the caller. */
typedef enum roxdb_type {
  ROXDB_NULL,
  ROXDB_STRING,  /* text, size: any bytes */
  ROXDB_STATUS,  /* text, size: "OK" */
  ROXDB_ERROR,   /* text, size: "ERR ..." */
  ROXDB_INTEGER, /* integer */
  ROXDB_REAL,    /* real */
  ROXDB_BOOLEAN, /* integer: 0 or 1 */
  ROXDB_ARRAY,   /* elements, count */
  ROXDB_MAP,     /* elements, count: keys and values in turn, so count is even */
  ROXDB_SET      /* elements, count */
} roxdb_type;

typedef struct roxdb_reply {
  roxdb_type type;
  int64_t integer;
  double real;
  const char* text; /* ends with a 0 byte that is not counted in size; null when there is none */
  size_t size;
  struct roxdb_reply** elements;
  size_t count;
} roxdb_reply;

/* An empty database. `options` may be null. Null when it cannot be opened; then *error, when error
 * is not null, gets a static text. */
ROXDB_API roxdb_db* roxdb_open(const roxdb_options* options, const char** error) ROXDB_NOEXCEPT;
ROXDB_API void roxdb_close(roxdb_db* db) ROXDB_NOEXCEPT; /* null is allowed; nothing is saved */

/* Runs one command. argv[0] is its name; argv_sizes may be null when all arguments are C strings.
 * The reply is never null; errors are replies too. */
ROXDB_API roxdb_reply* roxdb_command(roxdb_db* db, int argc, const char* const* argv,
                                     const size_t* argv_sizes) ROXDB_NOEXCEPT;
ROXDB_API void roxdb_reply_free(roxdb_reply* reply) ROXDB_NOEXCEPT; /* null is allowed */

/* Writes a snapshot, under the same rules as the server's SAVE: the file at `path` is replaced only
 * when the new one is complete and on disk. Loads one in place of what the database holds; on
 * failure the database is as it was before. 0, or -1 and roxdb_last_error(). */
ROXDB_API int roxdb_save(roxdb_db* db, const char* path) ROXDB_NOEXCEPT;
ROXDB_API int roxdb_load(roxdb_db* db, const char* path) ROXDB_NOEXCEPT;
/* Why the last save or load failed; valid until the next call on this database. */
ROXDB_API const char* roxdb_last_error(const roxdb_db* db) ROXDB_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
