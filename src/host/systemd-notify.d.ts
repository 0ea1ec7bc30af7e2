/** The part of the package that is used; it has no types of its own. */
declare module 'systemd-notify' {
  /** Starts the `systemd-notify` program; rejects with its error text when it fails. */
  export default function systemdNotify(options: {
    readonly ready?: boolean;
    readonly status?: string;
  }): Promise<unknown>;
}
