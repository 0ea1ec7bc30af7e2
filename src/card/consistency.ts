import type { Problem } from '../base/result.ts';
import type { Card } from './card.gen.ts';
import { CARD_DEFAULTS } from './card-keys.gen.ts';
import { publishedPort } from './resolve.ts';

/** What is wrong between the keys of a card that is otherwise valid: the rules that the schema cannot say. */
export function contradictions(card: Card): readonly Problem[] {
  return [...memoryProblems(card), ...publishProblems(card)];
}

function memoryProblems(card: Card): readonly Problem[] {
  const { memory_mb: given, memory_high_mb: high } = card.resource_limits ?? {};
  const most = given ?? CARD_DEFAULTS.resource_limits.memory_mb;
  if (high === undefined || high <= most) return [];
  const which = given === undefined ? `the default of "memory_mb", ${most}` : `"memory_mb", ${most}`;
  return [
    {
      code: 'card.conflict',
      pointer: '/resource_limits/memory_high_mb',
      message: `"resource_limits.memory_high_mb" is ${high}, which is above ${which}: the agent would be ended before it is slowed down.`,
      suggestion: `Write ${most} or less, or raise "memory_mb".`,
    },
  ];
}

function publishProblems(card: Card): readonly Problem[] {
  const ports = (card.network?.publish ?? []).map(publishedPort);
  return ports.flatMap(({ listen }, index) => {
    const first = ports.findIndex((other) => other.listen === listen);
    if (first === index) return [];
    return [
      {
        code: 'card.conflict' as const,
        pointer: `/network/publish/${index}/listen`,
        message: `"network.publish[${index}]" listens on ${listen}, and so does "network.publish[${first}]".`,
        suggestion: 'Give each published port an address or port of its own.',
      },
    ];
  });
}
