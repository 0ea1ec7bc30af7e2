import { SpawnError } from '../base/errors.ts';
import { isAgentId } from '../base/ids.ts';
import type { Problem } from '../base/result.ts';
import type { Route } from './routes.ts';

/** A request line that a route takes. */
export interface Match {
  readonly route: Route;
  readonly id: string;
  readonly query: ReadonlyMap<string, string>;
}

/** No route of the path takes the method; a response must name those that do (RFC 9110 §15.5.6). */
export class WrongMethod extends SpawnError {
  /** Value of the Allow header. */
  readonly allow: string;

  constructor(path: string, method: string, allow: string) {
    super('control.no-such-method', `${path} takes ${allow}, not ${method}.`);
    this.allow = allow;
  }
}

/**
 * Finds the route of a request line. HEAD is taken where GET is.
 * Throws `control.no-such-path`, `control.no-such-method`, or `control.bad-request` for an id or a query.
 */
export function findRoute(routes: readonly Route[], method: string, target: string): Match {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const found = routes.flatMap((route) => {
    const id = matchPath(route.path, path);
    return id === null ? [] : [{ route, id }];
  });
  const [first] = found;
  if (first === undefined) throw new SpawnError('control.no-such-path', `The API has no path ${JSON.stringify(path)}.`);
  const wanted = method === 'HEAD' ? 'GET' : method;
  const match = found.find(({ route }) => route.method === wanted);
  if (match === undefined) throw new WrongMethod(path, method, allowed(found.map(({ route }) => route.method)));
  if (match.route.path.includes('{id}') && !isAgentId(match.id)) {
    throw new SpawnError('control.bad-request', `${JSON.stringify(match.id)} is no id of an agent.`);
  }
  return { ...match, query: parseQuery(match.route, mark === -1 ? '' : target.slice(mark + 1)) };
}

/** The id in a path, '' for a path without, null when the path is another one. */
function matchPath(template: string, path: string): string | null {
  const wanted = template.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  let id = '';
  for (const [index, part] of wanted.entries()) {
    if (part === '{id}') id = given[index] ?? '';
    else if (part !== given[index]) return null;
  }
  return id;
}

function allowed(methods: readonly string[]): string {
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
}

function parseQuery(route: Route, text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  const problems: Problem[] = [];
  const refuse = (key: string, message: string): void => {
    problems.push({
      code: 'control.bad-request',
      pointer: '',
      message: `The query key ${JSON.stringify(key)} ${message}.`,
    });
  };
  for (const [key, value] of new URLSearchParams(text)) {
    const known = Object.hasOwn(route.query, key) ? route.query[key] : undefined;
    if (known === undefined) refuse(key, 'is not known here');
    else if (query.has(key)) refuse(key, 'occurs twice');
    else if (!known.values.includes(value)) refuse(key, `must be one of ${known.values.join(', ')}`);
    query.set(key, value);
  }
  for (const [key, { isRequired }] of Object.entries(route.query)) {
    if (isRequired && !query.has(key)) refuse(key, 'is missing');
  }
  const [first] = problems;
  if (first !== undefined) throw new SpawnError('control.bad-request', first.message, { problems });
  return query;
}
