/** The formats that model APIs speak. */
export type ModelFormat = 'anthropic' | 'openai-chat' | 'openai-responses' | 'google';

/** One thing that the model wants done. Paths are absolute. */
export type ModelAction =
  | { readonly kind: 'create'; readonly path: string; readonly content: string }
  | { readonly kind: 'edit'; readonly path: string; readonly old: string; readonly new: string }
  | { readonly kind: 'run'; readonly command: string };

/** A tool as the client announced it. */
export interface ModelTool {
  readonly name: string;
  /** JSON schema of its arguments; null for a tool that takes text. */
  readonly schema: ToolSchema | null;
  readonly description: string;
}

/** The part of a JSON schema that is looked at. */
export interface ToolSchema {
  readonly properties?: Readonly<Record<string, { readonly type?: unknown }>>;
  readonly required?: readonly string[];
}

/** A request, read. */
export interface ModelRequest {
  readonly model: string;
  readonly tools: readonly ModelTool[];
  /** How many calls of tools the conversation has the results of. */
  readonly results: number;
  readonly isStreamed: boolean;
  /** Whether a chat completion is to end with its usage; the other formats always tell. */
  readonly wantsUsage: boolean;
}

/** What the model says next. */
export type ModelTurn =
  | { readonly kind: 'call'; readonly tool: string; readonly input: Readonly<Record<string, unknown>> | string }
  | { readonly kind: 'say'; readonly text: string };

/** Tokens of one answer, as the server states them. */
export interface ModelUsage {
  readonly input: number;
  readonly output: number;
}

/** What an answer is made of. */
export interface ModelAnswer {
  readonly request: ModelRequest;
  readonly turn: ModelTurn;
  readonly usage: ModelUsage;
  /** Differs from answer to answer. */
  readonly serial: number;
}

/** A server-sent event; text as data is sent as it is, everything else as JSON. */
export interface ModelEvent {
  readonly event?: string;
  readonly data: unknown;
}

/** One format: how requests are read and answers are written. */
export interface ModelWire {
  /** Line end of its event streams. */
  readonly lineEnd: '\n' | '\r\n';
  readonly read: (body: Readonly<Record<string, unknown>>, target: string) => ModelRequest;
  readonly stream: (answer: ModelAnswer) => readonly ModelEvent[];
  readonly whole: (answer: ModelAnswer) => unknown;
}

/** Cuts a text in pieces, so that what belongs together comes apart. */
export function pieces(text: string, length = 9): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length; at += length) found.push(text.slice(at, at + length));
  return found;
}

/** A list, or an empty one for whatever else was sent. */
export function list(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value : [];
}
