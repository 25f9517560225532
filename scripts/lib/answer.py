#!/usr/bin/env python3
"""answer.py ANSWER PROGRAM [ARGUMENT ...]: runs a program on a terminal of its own and answers each question with ANSWER.

age asks for passphrases on a terminal only.
"""
import os
import pty
import sys

child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen = b""
while True:
    try:
        piece = os.read(terminal, 1024)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    if seen.rstrip().endswith(b":"):
        os.write(terminal, sys.argv[1].encode() + b"\n")
        seen = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
