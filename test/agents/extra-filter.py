# Installs a filter of its own that allows everything, then tells whether the filters that were there still bite.
import ctypes
import struct

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
KEYCTL, GET_KEYRING = 250, 0
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
program = struct.pack("HxxxxxxP", 1, ctypes.addressof(allow))
libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
print(libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.create_string_buffer(program)))
print(libc.prctl(PR_SET_SECCOMP, 0, 0), libc.prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0))
print(libc.syscall(KEYCTL, GET_KEYRING, -3, 0), ctypes.get_errno())
