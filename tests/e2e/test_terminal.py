"""What a person at a terminal sees."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios

from stage import PROMOTE, TWO_PRINCIPALS

from standins.proxy import counting


def on_a_terminal(command, environment, columns=140, term="xterm"):
    """Runs a command whose streams are a terminal; returns its exit code and all that it drew."""
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(command, env={**environment, "TERM": term}, stdin=inside, stdout=inside, stderr=inside)
    os.close(inside)
    drawn = b""
    # A terminal whose last process has ended answers with an error, or with nothing.
    while chunk := read(terminal):
        drawn += chunk
    os.close(terminal)
    return process.wait(timeout=60), drawn.decode()


def copied_on_a_terminal(stage, **terminal):
    """A promotion at an S3 that moves 32 MiB a second on each connection: its largest object takes several frames. The
    image is kept, because its bytes count as well unless another test has copied it."""
    command = stage.full_command("--copy-mode", "stream", "--images", "keep", principals=TWO_PRINCIPALS, output="text")
    with counting(stage.aws.objects, rate=32 << 20) as (s3, _):
        return on_a_terminal([PROMOTE, *command], stage.aws.environment(objects=s3), **terminal)


def read(terminal):
    """The next piece, or nothing at the end."""
    ready, _, _ = select.select([terminal], [], [], 120)
    if not ready:
        raise TimeoutError("the terminal was silent for 120 s")
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_a_bar_tells_objects_bytes_rate_and_time_left_and_is_gone_at_the_end(churn_stage):
    code, drawn = copied_on_a_terminal(churn_stage)
    assert code == 0, drawn
    frames = [line for line in drawn.replace("\r", "\n").split("\n") if " left" in line]
    assert frames, drawn
    for part in ("/15 objects", "[", "66.50 MiB", " left"):
        assert any(part in frame for frame in frames), (part, frames[:3])
    # The bar is wiped before what the copy has done and the document.
    order = [drawn.rindex(" left"), drawn.rindex("\x1b[2K"), drawn.index("copied 15 objects"), drawn.index("Outcome    promoted")]
    assert order == sorted(order), drawn


def test_a_bar_is_cut_at_the_width_of_the_terminal(churn_stage):
    code, drawn = copied_on_a_terminal(churn_stage, columns=50)
    assert code == 0, drawn
    pieces = re.split(r"[\r\n]|\x1b\[[0-9;]*[A-Za-z]", drawn)
    bars = [piece for piece in pieces if piece.startswith("[")]
    assert bars and max(map(len, bars)) == 50, bars


def test_a_terminal_that_cannot_redraw_has_no_bar(churn_stage):
    code, drawn = copied_on_a_terminal(churn_stage, term="dumb")
    assert code == 0 and "copied 15 objects" in drawn, drawn
    assert "\x1b" not in drawn and " left" not in drawn, drawn
