/** What sentences call a document, and what they have to know of its kind. */
export interface Subject {
  readonly noun: 'card' | 'configuration';
  /** A small one that is right, in JSON. */
  readonly example: string;
  /** Levels that its deepest key needs. */
  readonly depth: number;
  /** What to do about a comment in JSON. */
  readonly commentRemedy: string;
}

/** An agent card. */
export const CARD: Subject = {
  noun: 'card',
  example: '{"agent_id": "dev-agent", "workspace": "/mnt/agents/dev"}',
  depth: 4,
  commentRemedy: 'Remove it, or write the card in TOML, which has.',
};
