# internet-wire.py INTERFACE: prints a JSON line for every IP packet that comes in there; of TCP only the first of each
# attempt. Neighbour discovery and multicast membership, which kernels send by themselves, are left out.
import ctypes
import json
import signal
import socket
import struct
import sys

SO_ATTACH_FILTER = 26
PR_SET_PDEATHSIG = 1
PACKET_OUTGOING = 4
ICMP6_OF_KERNELS = (130, 131, 132, 133, 134, 135, 136, 137, 143)

# struct sock_filter (linux/filter.h): code, jump if true, jump if false, value. The program need not look at the rest
# of a download. Packets begin at the network header.
FILTER = [
    (0x20, 0, 0, 0xFFFFF004),  # the packet's type
    (0x15, 14, 0, PACKET_OUTGOING),  # drop
    (0x30, 0, 0, 0),
    (0x54, 0, 0, 0xF0),
    (0x15, 0, 5, 0x40),
    (0x30, 0, 0, 9),  # IPv4: protocol
    (0x15, 0, 8, 6),  # other than TCP: take
    (0xB1, 0, 0, 0),  # length of the header
    (0x50, 0, 0, 13),  # flags of TCP
    (0x05, 0, 0, 3),
    (0x30, 0, 0, 6),  # IPv6: next header
    (0x15, 0, 3, 6),
    (0x30, 0, 0, 53),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 2),  # SYN without ACK: take
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def attach(wire):
    text = b"".join(struct.pack("=HBBI", *instruction) for instruction in FILTER)
    held = ctypes.create_string_buffer(text)
    program = Program(len(FILTER), ctypes.addressof(held))
    wire.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(program))


def parse(packet):
    if packet[0] >> 4 == 4:
        start, family, ends = (packet[0] & 15) * 4, socket.AF_INET, (packet[12:16], packet[16:20])
        protocol = packet[9]
    else:
        start, family, ends = 40, socket.AF_INET6, (packet[8:24], packet[24:40])
        protocol = packet[6]
    source, destination = (socket.inet_ntop(family, end) for end in ends)
    rest = packet[start:]
    if protocol == 58 and rest[:1] and rest[0] in ICMP6_OF_KERNELS:
        return None
    if protocol == 0 and destination.startswith("ff02::"):
        return None
    port = struct.unpack("!H", rest[2:4])[0] if protocol in (6, 17) and len(rest) >= 4 else 0
    text = rest[8:136].decode("latin-1") if protocol == 17 else ""
    return {"kind": "packet", "protocol": protocol, "from": source, "address": destination, "port": port, "bytes": text}


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    attach(wire)
    wire.bind((sys.argv[1], 0))
    print(json.dumps({"kind": "ready"}), flush=True)
    while True:
        packet, (_, _, kind, *_) = wire.recvfrom(65535)
        if kind == PACKET_OUTGOING or not packet or packet[0] >> 4 not in (4, 6):
            continue
        told = parse(packet)
        if told is not None:
            print(json.dumps(told), flush=True)


main()
