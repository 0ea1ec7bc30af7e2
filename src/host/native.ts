import { constants } from 'node:os';
import { SpawnError } from '../base/errors.ts';

/** Who is at the other end of a Unix socket, as of its connect(2) (SO_PEERCRED, unix(7)). */
export interface PeerCredentials {
  readonly uid: number;
  readonly gid: number;
  /** For a log line only: the process may be gone and its number given to another. */
  readonly pid: number;
}

/** A system call that failed: its name and errno. */
export class NativeError extends Error {
  override readonly name = 'NativeError';
  /** Name of the errno, for example `EAGAIN`. */
  readonly code: string;

  constructor(call: string, errno: number) {
    const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/** System calls Node has no name for. */
export interface Native {
  /** A datagram socket of the Unix family, closed on exec, not blocking. */
  openDatagramSocket(): number;
  /** Sends one datagram to a socket's path (`@` first for an abstract name). Throws {@link NativeError}; `EAGAIN` when the receiver is busy. */
  sendDatagram(fd: number, path: string, datagram: Uint8Array): void;
  closeSocket(fd: number): void;
  /** Throws {@link NativeError}. */
  peerCredentials(fd: number): PeerCredentials;
}

/** Numbers of the generic Linux ABI, which x86-64, arm64 and riscv64 share (asm-generic/socket.h). */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Longest path of a Unix socket, with its terminating NUL (unix(7)). */
const SUN_PATH_BYTES_MAX = 108;

let loaded: Promise<Native> | null = null;

/** The bindings, loaded when they are first asked for. Throws `host.call-failed` on a platform without them. */
export function loadNative(): Promise<Native> {
  loaded ??= load();
  return loaded;
}

/** `struct sockaddr_un` of a path, or of an abstract name that begins with `@`. */
export function socketAddress(path: string): Buffer {
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > SUN_PATH_BYTES_MAX) throw new SpawnError('host.call-failed', `the socket path ${path} is too long`);
  const family = Buffer.alloc(2);
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = AF_UNIX;
  return Buffer.concat([family, name]);
}

async function load(): Promise<Native> {
  try {
    const { default: koffi } = await import('koffi');
    // Null is the program itself, which has every function of whatever libc it was linked with.
    const libc = koffi.load(null);
    const socket = libc.func('int socket(int domain, int type, int protocol)');
    const close = libc.func('int close(int fd)');
    const sendto = libc.func(
      'intptr_t sendto(int fd, const uint8_t *data, size_t size, int flags, const uint8_t *to, uint32_t length)',
    );
    const getsockopt = libc.func(
      'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)',
    );
    const checked = (call: string, result: number): number => {
      if (result < 0) throw new NativeError(call, koffi.errno());
      return result;
    };
    return {
      openDatagramSocket: () => checked('socket', socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
      sendDatagram: (fd, path, datagram) => {
        const address = socketAddress(path);
        const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
        checked('sendto', Number(sendto(fd, datagram, datagram.length, flags, address, address.length)));
      },
      closeSocket: (fd) => void checked('close', close(fd)),
      peerCredentials: (fd) => {
        // struct ucred: pid, uid, gid, 32 bits each.
        const credentials = new Uint32Array(3);
        const value = new Uint8Array(credentials.buffer);
        checked('getsockopt', getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, [value.length]));
        const [pid = 0, uid = 0, gid = 0] = credentials;
        return { pid, uid, gid };
      },
    };
  } catch (error) {
    loaded = null;
    if (error instanceof SpawnError) throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw new SpawnError('host.call-failed', `koffi cannot be loaded on ${process.platform} ${process.arch}: ${text}`, {
      cause: error,
    });
  }
}
