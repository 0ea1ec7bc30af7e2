/** One card of the benchmark: all limits and the network at their defaults, as most agents have them. */
export interface Card {
  readonly id: string;
  readonly command: readonly string[];
}

/** A card as JSON text. */
export function cardText({ id, command }: Card, workspaces: string): string {
  return JSON.stringify({ agent_id: id, workspace: `${workspaces}/${id}`, agent: 'shell', command });
}
