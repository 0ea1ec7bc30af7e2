import type { CardChecker } from '../cli/card-check.ts';
import { checkCard, readHostRules } from '../control/card-check.ts';
import type { HostRules } from '../plan/card-judgement.ts';

/** What `agentctl check --offline` judges with. A file of its own, so that no other command has to read it. */
export const CARD_CHECKER: CardChecker<HostRules> = { readHostRules, checkCard };
