import type { ProviderName } from './provider.ts';
import { type TokenUsage, UsageCounts } from './usage-counts.ts';
import { UsageEvents } from './usage-events.ts';
import { UsageJson } from './usage-json.ts';

/** Reads from an answer that passes by how many tokens it states. */
export interface UsageReader {
  add(bytes: Uint8Array): void;
  /** After the last byte, or when none comes any more: null when nothing is stated, or not yet the whole. */
  end(): TokenUsage | null;
}

const EVENT_STREAM = /^text\/event-stream\s*(?:;|$)/i;

/**
 * A reader for an answer of a provider. `contentType` is the field of that name: events (the HTML standard, section
 * 9.2), or else JSON values, one or many. What it holds does not grow with the answer, and nothing in an answer throws.
 */
export function usageReader(provider: ProviderName, contentType: string | null): UsageReader {
  const counts = new UsageCounts(provider);
  const json = new UsageJson((numbers) => counts.add(numbers));
  const isStream = contentType !== null && EVENT_STREAM.test(contentType.trim());
  const body = isStream ? new UsageEvents(json) : json;
  return { add: (bytes) => body.add(bytes), end: () => counts.total() };
}

export type { TokenUsage };
