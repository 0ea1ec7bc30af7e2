import { readFileSync } from 'node:fs';
import { problemsError, SpawnError } from '../base/errors.ts';
import type { Problem, Result } from '../base/result.ts';
import type { CardText } from '../client/api.gen.ts';
import type { ApiClient } from '../client/api-client.ts';
import { cardSource, readCardText, STANDARD_INPUT, tryCardText } from './card-file.ts';
import { print, show } from './control-ground.ts';
import type { ControlActions, ControlOptions } from './control-program.ts';
import { writeText } from './descriptor-writer.ts';
import { escapeText } from './escape.ts';
import { failureText } from './failure-text.ts';

/** What judges cards where there is no daemon (`src/control/card-check.ts`); `Rules` are a host's, and its own matter. */
export interface CardChecker<Rules = unknown> {
  /** What a configuration of the daemon says about cards, or why it is none; null for the default one. */
  readHostRules(bytes: Uint8Array | null): Result<Rules>;
  checkCard(
    card: Pick<CardText, 'text' | 'format'> & {
      readonly origin: 'spawned' | 'declared';
      readonly fileName: string | null;
      readonly option: string | null;
    },
    rules: Rules,
  ): CardVerdict;
}

/** What is said of one card. */
export interface CardVerdict {
  readonly id: string | null;
  /** Each with its place: a pointer, or the name of an option. */
  readonly problems: readonly (Problem & { readonly place: string })[];
  readonly notices: readonly string[];
}

/** A verdict and the card it is about, as messages call it. */
interface Checked extends CardVerdict {
  readonly source: string;
}

const PROGRAM = 'agentctl';

/** What `agentctl check` does, with the daemon that `client` finds, or with the checker and without one. */
export function checkAction(
  client: (options: ControlOptions) => ApiClient,
  load: () => Promise<CardChecker>,
): ControlActions['check'] {
  return async (first, options, _, further) => {
    const paths = [first, ...further];
    checkUsage(paths, options);
    return options.offline === true ? checkOffline(paths, options, await load()) : checkHere(first, options, client);
  };
}

async function checkHere(
  path: string,
  options: ControlOptions,
  client: (options: ControlOptions) => ApiClient,
): Promise<number> {
  const card = await readCardText(path);
  const plan = await client(options).plan({ card, arguments: [], attach: null });
  return show(options, plan, ({ id, notices }) => acceptedText({ source: card.source, id, notices }));
}

/** Judges each card; resolves to 1 when one of them could not be read, else to 3 when one of them is refused. */
async function checkOffline(paths: readonly string[], options: ControlOptions, checker: CardChecker): Promise<number> {
  const rules = checker.readHostRules(options.config === undefined ? null : readConfiguration(options.config));
  if (!rules.ok) throw problemsError(rules.problems, options.config ?? '');
  const checked: Checked[] = [];
  for (const [index, path] of paths.entries()) {
    const option = options.as?.[index] ?? null;
    const card = await tryCardText(path);
    const verdict = card.ok
      ? checker.checkCard(
          {
            ...card.value,
            origin: options.declared === true ? 'declared' : 'spawned',
            fileName: path === STANDARD_INPUT ? null : path.slice(path.lastIndexOf('/') + 1),
            option,
          },
          rules.value,
        )
      : { id: null, problems: card.problems.map((problem) => ({ ...problem, place: option ?? '' })), notices: [] };
    checked.push({ source: cardSource(path), ...verdict });
  }
  if (options.json === true) await print(`${JSON.stringify(checked)}\n`);
  else await printVerdicts(checked, options.as !== undefined);
  return statusOf(checked);
}

async function printVerdicts(checked: readonly Checked[], isNamed: boolean): Promise<void> {
  for (const verdict of checked) {
    const { source, problems } = verdict;
    if (problems.length === 0) await print(acceptedText(verdict));
    else if (isNamed && !isUnread(verdict)) await writeText(2, problems.map(namedLine).join(''));
    else await writeText(2, failureText(PROGRAM, problemsError(problems, source)));
  }
}

function acceptedText({ source, id, notices }: Pick<Checked, 'source' | 'id' | 'notices'>): string {
  const notes = notices.map((notice) => `  note: ${escapeText(notice)}\n`).join('');
  return `${escapeText(source)}: valid, for the agent ${id}\n${notes}`;
}

/** One line, as the log of a build is read: the option, what is wrong, what to write, the code. */
function namedLine({ place, message, suggestion, code }: CardVerdict['problems'][number]): string {
  return `${escapeText([`${place}: ${message}`, ...(suggestion === undefined ? [] : [suggestion])].join(' '))} [${code}]\n`;
}

function statusOf(checked: readonly Checked[]): number {
  if (checked.some(isUnread)) return 1;
  return checked.some(({ problems }) => problems.length > 0) ? 3 : 0;
}

function isUnread({ problems }: CardVerdict): boolean {
  return problems.some(({ code }) => code === 'card.unreadable');
}

function readConfiguration(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SpawnError('config.invalid', `${path}: The configuration cannot be read: ${code}.`, { cause });
  }
}

function checkUsage(paths: readonly string[], options: ControlOptions): void {
  const { offline, as: names, declared, config } = options;
  const needy = [declared === true && '--declared', names !== undefined && '--as', config !== undefined && '--config'];
  const [without] = needy.filter((word) => word !== false);
  if (offline !== true && without !== undefined) throw usage(`${without} is for checks with --offline.`);
  if (offline !== true && paths.length > 1) throw usage('Several cards can be checked with --offline only.');
  if (names !== undefined && names.length !== paths.length) {
    throw usage(
      `--as is there ${count(names.length, 'time')} for ${count(paths.length, 'card')}; each has one of its own.`,
    );
  }
  if (paths.filter((path) => path === STANDARD_INPUT).length > 1) throw usage('Standard input holds one card.');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function usage(message: string): SpawnError {
  return new SpawnError('cli.usage', message, { remedy: "Try 'agentctl check --help'." });
}
