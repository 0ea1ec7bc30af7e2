/** One system call as `test/agents/syscalls.py` makes it. */
export interface Call {
  readonly name: string;
  /** Number on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl). */
  readonly number: number;
  /** Arguments that do no harm when the call is allowed: `@` text, `&` buffer of that size, or a number. */
  readonly words: string;
  /** How it may end inside besides EPERM. */
  readonly also?: readonly string[];
}

function call(name: string, number: number, words: string, also: readonly string[] = []): Call {
  return { name, number, words, also };
}

/** No process may get more than it was given: `setuid` and its kind fail as well because 0 is no uid inside. */
const UNMAPPED = ['EINVAL'];

/**
 * What an agent must not be able to do. Root outside, in namespaces of its own, gets something other than EPERM for each
 * of them; inside, each is refused.
 */
export const REFUSED_CALLS: readonly Call[] = [
  call('mount', 165, '@none,@/tmp,@tmpfs,0,0'),
  call('umount2', 166, '@/tmp,2', ['EINVAL']),
  call('pivot_root', 155, '@.,@.'),
  call('chroot', 161, '@/'),
  call('move_mount', 429, '-1,@x,-1,@y,0'),
  call('open_tree', 428, '-100,@/,1'),
  call('fsopen', 430, '@tmpfs,0'),
  call('fsmount', 432, '-1,0,0'),
  call('mount_setattr', 442, '-100,@/,0,&32,32'),
  call('unshare(user)', 272, '0x10000000', ['ENOSPC']),
  call('unshare(mount)', 272, '0x20000'),
  call('setns', 308, '-1,0'),
  call('keyctl', 250, '0,-3,0'),
  call('add_key', 248, '@user,@x,@y,1,-2'),
  call('request_key', 249, '@user,@nonexistent,0,0'),
  call('perf_event_open', 298, '0,0,-1,-1,0'),
  call('userfaultfd', 323, '0'),
  call('ptrace', 101, '0,0,0,0'),
  call('process_vm_readv', 310, '0,0,0,0,0,0'),
  call('process_vm_writev', 311, '0,0,0,0,0,0'),
  call('kcmp', 312, '1,1,0,0,0'),
  call('pidfd_getfd', 438, '-1,0,0'),
  call('kexec_load', 246, '0,0,0,0xdead'),
  call('kexec_file_load', 320, '-1,-1,0,0,0xdead'),
  call('reboot', 169, '0,0,0,0'),
  call('open_by_handle_at', 304, '-1,&8,0'),
  call('name_to_handle_at', 303, '-100,@/,&8,0,0'),
  call('swapon', 167, '@/nonexistent,0'),
  call('swapoff', 168, '@/nonexistent'),
  call('acct', 163, '@/nonexistent'),
  call('quotactl', 179, '0x80000400,@/nonexistent,0,&64'),
  call('quotactl_fd', 443, '-1,0x80000400,0,&64'),
  call('iopl', 172, '99'),
  call('ioperm', 173, '0,0,0'),
  call('modify_ldt', 154, '0,&16,16'),
  call('fanotify_init', 300, '0,0'),
  call('fanotify_mark', 301, '-1,0,0,-1,0'),
  call('bpf', 321, '0x7fff,&64,64'),
  call('io_uring_setup', 425, '1,0'),
  call('io_uring_enter', 426, '-1,0,0,0,0,0'),
  call('io_uring_register', 427, '-1,0,0,0'),
  call('init_module', 175, '0,0,@x'),
  call('finit_module', 313, '-1,@x,0'),
  call('delete_module', 176, '@nonexistent,0'),
  call('clock_settime', 227, '0,1'),
  call('settimeofday', 164, '1,0'),
  call('clock_adjtime', 305, '0,1'),
  call('adjtimex', 159, '1'),
  call('syslog', 103, '3,&16,16'),
  call('vhangup', 153, '0'),
  call('sethostname', 170, '@x,-1'),
  call('setdomainname', 171, '@x,-1'),
  call('personality', 135, '8'),
  call('setuid', 105, '0', UNMAPPED),
  call('setgid', 106, '0', UNMAPPED),
  call('setgroups', 116, '0,0'),
  call('setresuid', 117, '0,0,0', UNMAPPED),
  call('mknod', 133, '@planted,0x61b0,0x700'),
  call('sched_setscheduler', 144, '0,1,&4'),
  call('setpriority', 141, '0,0,-20', ['EACCES']),
  call('socket(raw)', 41, '2,3,1'),
  call('socket(packet)', 41, '17,3,0', ['EAFNOSUPPORT']),
];

/** Calls that are about the host's POSIX and System V objects: there are none of them inside. */
export const FOREIGN_CALLS: readonly Call[] = [
  call('mq_open', 240, '@canary,0', ['ENOENT']),
  call('shmget', 29, '0x5ca1ab1e,4096,0', ['ENOENT']),
];
