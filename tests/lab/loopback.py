"""Brings up loopback in a new network, where it is down."""

import fcntl
import socket
import struct

READ_FLAGS, WRITE_FLAGS, UP = 0x8913, 0x8914, 0x1

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    _, flags = struct.unpack("16sh", fcntl.ioctl(any_socket, READ_FLAGS, struct.pack("16sh", b"lo", 0)))
    fcntl.ioctl(any_socket, WRITE_FLAGS, struct.pack("16sh", b"lo", flags | UP))
