# Asks for its process id through the 32-bit entry of the kernel, which has a table of system calls of its own.
import ctypes
import mmap

code = b"\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\xc3"
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(code)
entry = ctypes.addressof(ctypes.c_char.from_buffer(memory))
print(ctypes.CFUNCTYPE(ctypes.c_int)(entry)())
