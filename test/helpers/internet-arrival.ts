import type { KeyPair } from './internet-certificates.ts';
import type { ModelCall, ModelServerOptions } from './model-server.ts';

/** A TCP connection that was made, to any of the ports somebody listens on. */
export interface TcpArrival {
  readonly kind: 'tcp';
  /** Where it was made to: any address in the world is answered. */
  readonly address: string;
  readonly port: number;
  readonly from: string;
  /** The first bytes, one character each; empty on ports that speak HTTP, whose requests are arrivals of their own. */
  readonly bytes: string;
}

/** A question to the name server; the same question for another type of record is another arrival. */
export interface DnsArrival {
  readonly kind: 'dns';
  /** As it was written in the question. */
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'other';
}

/** A request to a web server. */
export interface HttpArrival {
  readonly kind: 'http';
  readonly address: string;
  readonly port: number;
  /** Name in the TLS handshake, or null where there was none. */
  readonly serverName: string | null;
  readonly version: string;
  readonly method: string;
  readonly target: string;
  /** Host header, or :authority. */
  readonly host: string;
  /** Names in lower case and values, in their order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The beginning of the body, as far as it has come. */
  readonly body: string;
}

/** A packet on the wire, before any program sees it. Of TCP only the first of each attempt. */
export interface PacketArrival {
  readonly kind: 'packet';
  /** IP protocol number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6, 132 SCTP. */
  readonly protocol: number;
  readonly from: string;
  readonly address: string;
  /** Destination port of TCP and UDP, else 0. */
  readonly port: number;
  /** The first bytes of a datagram, one character each. */
  readonly bytes: string;
}

/** Something that came out of the host into the pretend internet. */
export type Arrival = DnsArrival | HttpArrival | PacketArrival | TcpArrival;

/** Arrivals of one kind. */
export type ArrivalOf<K extends Arrival['kind']> = Extract<Arrival, { readonly kind: K }>;

/** What the test says to the world: one JSON line each. */
export type WorldOrder =
  | {
      readonly op: 'listen';
      readonly key: string;
      readonly certificate: string;
      /** Other certificates, by the names in the TLS handshake that get them. */
      readonly bad: Readonly<Record<string, KeyPair>>;
      /** Ports that take anything. */
      readonly raw: readonly number[];
      /** Directory of what sites serve. */
      readonly root: string;
    }
  /** Answered when the datagram with this text has come by on the wire: all that was sent before it is known then. */
  | { readonly op: 'arrivals'; readonly fence: string }
  | { readonly op: 'clear' }
  | { readonly op: 'models'; readonly hosts: readonly string[]; readonly options: ModelServerOptions }
  | { readonly op: 'model-calls' }
  | { readonly op: 'answer'; readonly name: string; readonly turns: readonly (readonly string[])[] }
  | { readonly op: 'say'; readonly port: number; readonly text: string }
  | { readonly op: 'push'; readonly stream: string; readonly text: string }
  | { readonly op: 'finish'; readonly stream: string }
  | { readonly op: 'await-closed'; readonly stream: string };

/** What the world answers, in the order of the orders. */
export interface WorldAnswer {
  readonly failure?: string;
  readonly arrivals?: readonly Arrival[];
  readonly calls?: readonly ModelCall[];
}
