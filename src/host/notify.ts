import { callFailed } from './call-failed.ts';
import { loadNative } from './native.ts';

/** Tells the service manager how this daemon is doing (sd_notify(3)). */
export interface Notifier {
  /** `READY=1` with a status text. */
  ready(status: string): Promise<void>;
  /** `STATUS=`, the line `systemctl status` shows. */
  status(text: string): Promise<void>;
  /** `STOPPING=1`. */
  stopping(): Promise<void>;
}

/**
 * A notifier for the socket that `NOTIFY_SOCKET` names, given as a value; null
 * when it is not set, and then nothing is told to anybody: the package would
 * start a process only to see it fail. The package starts the `systemd-notify`
 * program, which reads the variable again and sends as a process of its own,
 * so the unit needs `NotifyAccess=all`. It knows no `STOPPING=1`, which is sent
 * by a datagram of ours.
 */
export function openNotifier(notifySocket: string | null): Notifier {
  if (notifySocket === null || notifySocket === '') return SILENT;
  return {
    ready: (status) => tell({ ready: true, status }),
    status: (text) => tell({ status: text }),
    stopping: () => stopping(notifySocket),
  };
}

const nothing = (): Promise<void> => Promise.resolve();
const SILENT: Notifier = { ready: nothing, status: nothing, stopping: nothing };

async function tell(options: { readonly ready?: boolean; readonly status: string }): Promise<void> {
  try {
    const { default: systemdNotify } = await import('systemd-notify');
    // A newline would begin another assignment of the message.
    await systemdNotify({ ...options, status: options.status.replaceAll(/\s+/g, ' ') });
  } catch (error) {
    throw callFailed('telling the service manager', error);
  }
}

async function stopping(notifySocket: string): Promise<void> {
  try {
    const native = await loadNative();
    const socket = native.openDatagramSocket();
    try {
      native.sendDatagram(socket, notifySocket, Buffer.from('STOPPING=1'));
    } finally {
      native.closeSocket(socket);
    }
  } catch (error) {
    throw callFailed('telling the service manager', error);
  }
}
