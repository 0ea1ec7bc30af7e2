import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Arrivals } from './internet-arrivals.ts';

const TYPES: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' };
const NAME_ERROR = 3;
/** Header, a root label, type and class. */
const QUESTION_BYTES_MIN = 17;

/** A question of RFC 1035, section 4.1.2. */
interface Question {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'other';
  /** Offset of the first byte after it. */
  readonly end: number;
}

/**
 * The one name server of the pretend internet. It knows the names it was told and no others, answers with a time to live
 * of 0, and keeps a count of every question.
 */
export class NameServer {
  readonly #arrivals: Arrivals;
  readonly #turns = new Map<string, readonly (readonly string[])[]>();
  readonly #asked = new Map<string, number>();

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** Answers the first question for a name with the first turn, and so on; the last one stays. */
  set(name: string, turns: readonly (readonly string[])[]): void {
    this.#turns.set(name, turns);
    for (const type of ['A', 'AAAA', 'other']) this.#asked.delete(`${name} ${type}`);
  }

  /** Takes questions over UDP and TCP, on every address. */
  async listen(port: number): Promise<void> {
    const udp = createSocket({ type: 'udp6' });
    udp.on('message', (message, from) => {
      const answer = this.#answer(message);
      if (answer !== null) udp.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve) => udp.bind(port, '::', resolve));
    const tcp = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        const answer = this.#answer(chunk.subarray(2));
        if (answer === null) return;
        socket.end(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]));
      });
    });
    await new Promise<void>((resolve) => tcp.listen(port, '::', resolve));
  }

  /** Null for what is no question, and where there is to be no answer. */
  #answer(message: Buffer): Buffer | null {
    if (message.length < QUESTION_BYTES_MIN) return null;
    const question = readQuestion(message);
    this.#arrivals.add({ kind: 'dns', name: question.name, type: question.type });
    const turn = this.#turn(question);
    if (turn?.includes('silence') === true) return null;
    const family = question.type === 'A' ? 4 : 6;
    const addresses = (turn ?? []).map(packAddress).filter((bytes) => bytes.length === (family === 4 ? 4 : 16));
    const records = addresses.map((bytes) =>
      Buffer.concat([
        // A pointer to the name in the question, type, class IN, time to live 0, length.
        Buffer.from([0xc0, 12, 0, family === 4 ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, bytes.length]),
        Buffer.from(bytes),
      ]),
    );
    const head = Buffer.alloc(12);
    message.copy(head, 0, 0, 2);
    // Response, authoritative, recursion as if it were available.
    head.writeUInt16BE(0x8580 | (turn === undefined ? NAME_ERROR : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    return Buffer.concat([head, message.subarray(12, question.end), ...records]);
  }

  #turn({ name, type }: Question): readonly string[] | undefined {
    const key = `${name.toLowerCase()} ${type}`;
    const turns = this.#turns.get(name.toLowerCase());
    const asked = this.#asked.get(key) ?? 0;
    this.#asked.set(key, asked + 1);
    return turns?.[Math.min(asked, turns.length - 1)];
  }
}

function readQuestion(message: Buffer): Question {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = TYPES[message.readUInt16BE(at + 1)] ?? 'other';
  return { name: labels.join('.'), type, end: at + 5 };
}

/** The bytes of an address. */
export function packAddress(address: string): readonly number[] {
  if (!address.includes(':')) return address.split('.').map(Number);
  const [before = '', after] = address.split('::');
  const words = (text: string): readonly number[] => text.split(':').filter(Boolean).flatMap(packWord);
  const [head, tail] = [words(before), words(after ?? '')];
  return [...head, ...Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

function packWord(word: string): readonly number[] {
  if (word.includes('.')) return word.split('.').map(Number);
  const value = Number.parseInt(word, 16);
  return [value >> 8, value & 255];
}
