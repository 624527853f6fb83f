"""swtpm with somebody in between: extends PCR 14 as soon as the firmware has started the TPM.

Called as swtpm is, with QEMU's control channel at descriptor 3; argv[1] is the real swtpm.
"""
import os
import socket
import struct
import subprocess
import sys
import threading

CMD_SET_DATAFD = 16
STARTUP = 0x144
EXTEND = bytes.fromhex(
    "8002" "00000041" "00000182" "0000000e" "00000009" "40000009" "0000" "00" "0000"
    "00000001" "000b") + b"\x07" * 32


def whole(sock):
    head = b""
    while len(head) < 10:
        more = sock.recv(10 - len(head))
        if not more:
            return None
        head += more
    size = struct.unpack(">I", head[2:6])[0]
    while len(head) < size:
        head += sock.recv(size - len(head))
    return head


def commands(qemu, tpm):
    started = False
    while True:
        command = whole(qemu)
        if command is None:
            return
        tpm.sendall(command)
        answer = whole(tpm)
        if not started and struct.unpack(">I", command[6:10])[0] == STARTUP:
            started = True
            tpm.sendall(EXTEND)
            print("extended:", whole(tpm).hex(), flush=True)
        qemu.sendall(answer)


def main():
    qemu = socket.socket(fileno=3)
    ours, theirs = socket.socketpair()
    args = [a.replace("clientfd=3", "clientfd=%d" % theirs.fileno()) for a in sys.argv[1:]]
    subprocess.Popen(args, pass_fds=[theirs.fileno()])
    theirs.close()
    threading.Thread(target=answers, args=(ours, qemu), daemon=True).start()
    while True:
        data, fds, _, _ = socket.recv_fds(qemu, 65536, 4)
        if not data:
            return
        if fds and struct.unpack(">I", data[:4])[0] == CMD_SET_DATAFD:
            near, far = socket.socketpair()
            channel = socket.socket(fileno=fds[0])
            threading.Thread(target=commands, args=(channel, near), daemon=True).start()
            socket.send_fds(ours, [data], [far.fileno()])
            far.close()
        else:
            ours.sendall(data)


def answers(ours, qemu):
    while True:
        data = ours.recv(65536)
        if not data:
            os._exit(0)
        qemu.sendall(data)


main()
