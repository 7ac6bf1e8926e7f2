"""The wire protocol, as a client sees it: commands to bytes, bytes to replies.

Replies are kept in two forms. reply_end() only finds where one ends, so that two servers' bytes can
be compared as they came; parse() makes Python values of them:

    +text  Status      $  %  ~  bytes, dict, list      :  ,  #  (  int, float, bool, int
    -text  Error       *     list                      $-1 *-1 _   None
    =txt:  bytes       >     Push
"""


class Status(bytes):
    """A simple string: +OK."""


class Error(bytes):
    """An error reply, without the dash."""


class Push(list):
    """A message that answers no command (RESP3)."""


def encode(arguments):
    """One command as an array of bulk strings; arguments are bytes, text or numbers."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        if not isinstance(argument, bytes):
            argument = str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(argument), argument))
    return b"".join(parts)


class ProtocolError(Exception):
    """What came is no reply."""


_LINES = b"+-:,#(_"
_BULKS = b"$=!"
_AGGREGATES = {ord("*"): 1, ord("~"): 1, ord(">"): 1, ord("%"): 2, ord("|"): 2}


def reply_end(buffer, start):
    """Where the reply that begins at `start` ends, or -1 when more bytes are needed."""
    position, open_elements = start, 1
    while open_elements:
        end = buffer.find(b"\r\n", position)
        if end < 0:
            return -1
        kind, next_position = buffer[position], end + 2
        open_elements -= 1
        if kind in _BULKS:
            size = int(buffer[position + 1:end])
            if size >= 0:
                next_position += size + 2
                if next_position > len(buffer):
                    return -1
        elif kind in _AGGREGATES:
            open_elements += max(0, int(buffer[position + 1:end])) * _AGGREGATES[kind]
            if kind == ord("|"):  # attributes stand before the value they belong to
                open_elements += 1
        elif kind not in _LINES:
            raise ProtocolError("not a reply: %r" % bytes(buffer[position:position + 80]))
        position = next_position
    return position


def _scalar(kind, line):
    if kind == "+":
        return Status(line)
    if kind == "-":
        return Error(line)
    if kind in ":(":
        return int(line)
    if kind == ",":
        return float(line)
    if kind == "#":
        return line == b"t"
    return None


def parse(raw):
    """The Python value of one whole reply."""
    return _parse(raw, 0)[0]


def _parse(raw, position):
    end = raw.index(b"\r\n", position)
    kind, line = chr(raw[position]), bytes(raw[position + 1:end])
    position = end + 2
    if kind in "$=!":
        size = int(line)
        if size < 0:
            return None, position
        text = bytes(raw[position:position + size])
        value = Error(text) if kind == "!" else text[4:] if kind == "=" else text
        return value, position + size + 2
    if kind in "*~>%|":
        count = int(line)
        if count < 0:
            return None, position
        elements = []
        for _ in range(count * (2 if kind in "%|" else 1)):
            element, position = _parse(raw, position)
            elements.append(element)
        if kind == "|":
            return _parse(raw, position)
        if kind == "%":
            return dict(zip(elements[::2], elements[1::2])), position
        return (Push(elements) if kind == ">" else elements), position
    return _scalar(kind, line), position
