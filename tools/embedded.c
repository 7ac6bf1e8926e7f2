/* embedded.c: RoxDB inside a C program. Opens a database, keeps a counter in it, saves it to the
 * file named on the command line and loads it again on the next run.
 *
 *   build/release/tools/embedded /tmp/counter.rox
 */
#include <roxdb/roxdb.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: embedded FILE\n");
    return 2;
  }
  const char* error = NULL;
  roxdb_db* db = roxdb_open(NULL, &error);
  if (db == NULL) {
    fprintf(stderr, "embedded: %s\n", error);
    return 1;
  }
  if (roxdb_load(db, argv[1]) != 0) printf("starting empty: %s\n", roxdb_last_error(db));

  const char* increment[] = {"INCR", "runs"};
  roxdb_reply* reply = roxdb_command(db, 2, increment, NULL);
  if (reply->type == ROXDB_INTEGER) printf("run number %lld\n", (long long)reply->integer);
  roxdb_reply_free(reply);

  const int saved = roxdb_save(db, argv[1]);
  if (saved != 0) fprintf(stderr, "embedded: %s\n", roxdb_last_error(db));
  roxdb_close(db);
  return saved == 0 ? 0 : 1;
}
