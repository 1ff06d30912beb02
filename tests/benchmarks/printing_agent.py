"""A stub agent for measuring: a prompt box, a line a second and a spinner at 5 Hz (busy), or a still screen (idle)."""

import os
import sys
import time

RULE = "─" * 100
SPIN = "·✢✳✶✻✽"


def draw(text: str) -> None:
    os.write(1, text.encode())


def main() -> None:
    mode = sys.argv[1]
    footer = "  ⏸ manual mode on · esc to interrupt" if mode == "busy" else "  ⏸ manual mode on"
    box = f"\x1b[44;1H\x1b[38;5;244m{RULE}\r\n\x1b[39m❯\xa0\r\n\x1b[38;5;244m{RULE}\x1b[39m\r\n{footer}\x1b[45;3H"
    draw("\x1b[?1049h\x1b[2J\x1b[1;1H❯ [tmorch 1 from the person] go on\r\n" + box)
    tick = 0
    while True:
        time.sleep(0.2 if mode == "busy" else 3600)
        tick += 1
        line = ""
        if tick % 5 == 0:
            row = 3 + (tick // 5) % 36
            line = f"\x1b[{row};1H\x1b[K\x1b[32m●\x1b[39m step {tick // 5}: \x1b[1mpytest\x1b[0m tests/test_{tick}.py"
        draw(f"{line}\x1b[42;1H\x1b[38;5;174m{SPIN[tick % 6]}\x1b[39m Working… ({tick // 5}s)\x1b[45;3H")


main()
