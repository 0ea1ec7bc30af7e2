import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import type { ProblemDocument } from '../../../src/api/problem.ts';
import { ROUTES, type Route } from '../../../src/api/routes.ts';
import type { AgentEvent, AuditMessage } from '../../../src/api/stream.ts';
import { ERRORS } from '../../../src/base/errors.ts';
import { isAgentId } from '../../../src/base/ids.ts';
import type * as generated from '../../../src/client/api.gen.ts';
import type { EgressChange, LaunchRequest } from '../../../src/control/operations.ts';
import type * as views from '../../../src/control/views.ts';
import type { EgressRule } from '../../../src/policy/table.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';
import { DESCRIPTION, type OperationDescription } from './description.ts';

/** True only for two types that are the same, also in what is optional and readonly. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** An intersection as the one type it amounts to. */
type Flat<T> = { [K in keyof T]: T[K] };

/** Compiles only when every type is `true`. */
function assertTypes<_ extends readonly true[]>(): void {}

test('the views of the daemon and the description of the API are the same types', () => {
  assertTypes<
    [
      Same<generated.VersionView, Flat<views.VersionView>>,
      Same<Flat<generated.OutcomeView>, Flat<views.OutcomeView>>,
      Same<Flat<generated.UsageView>, Flat<views.UsageView>>,
      Same<keyof generated.AgentView, keyof views.AgentView>,
      Same<Flat<generated.MountView>, Flat<views.MountView>>,
      Same<Flat<generated.LaunchRequest>['arguments'], LaunchRequest['arguments']>,
    ]
  >();
  // Both ways for those that hold others: a value of one is a value of the other.
  assertTypes<
    [
      Mutual<generated.AgentView, views.AgentView>,
      Mutual<generated.AgentDetail, views.AgentDetail>,
      Mutual<generated.PlanView, views.PlanView>,
      Mutual<generated.LaunchRequest, LaunchRequest>,
      Mutual<generated.CredentialsView, views.CredentialsView>,
      Mutual<generated.ReloadView, views.ReloadView>,
      Mutual<generated.EgressView, views.EgressView>,
      Mutual<generated.EgressRule, EgressRule>,
      Mutual<generated.EgressChange, EgressChange>,
      Mutual<generated.AuditCheckView, views.AuditCheckView>,
    ]
  >();
  assertTypes<[Extends<generated.AuditEntry, views.AuditEntry>, Extends<views.AuditEntry, generated.AuditEntry>]>();
  // What the client reads may know fewer codes than the daemon has.
  assertTypes<
    [
      Extends<AgentEvent, generated.AgentEvent>,
      Extends<AuditMessage, generated.AuditMessage>,
      Extends<ProblemDocument, generated.ProblemDocument>,
    ]
  >();
});

type Extends<A, B> = [A] extends [B] ? true : false;
type Mutual<A, B> = [Extends<A, B>, Extends<B, A>, Same<keyof A, keyof B>] extends [true, true, true] ? true : false;

test('types that differ do not compile', () => {
  // @ts-expect-error: a key is missing on one side
  assertTypes<[Mutual<generated.AgentView, Omit<views.AgentView, 'notices'>>]>();
  // @ts-expect-error: null is possible on one side only
  assertTypes<[Mutual<generated.OutcomeView, Omit<views.OutcomeView, 'status'> & { readonly status: number }>]>();
  // @ts-expect-error: one kind of outcome is missing
  assertTypes<[Same<generated.OutcomeView['kind'], Exclude<views.OutcomeView['kind'], 'oom'>>]>();
});

test('every route is described and every described operation has a route', () => {
  const described = Object.entries(DESCRIPTION.paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((key) => key !== 'parameters')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort(), described.sort());
});

test('bodies and queries of the routes are those of the description', () => {
  for (const route of ROUTES) {
    const operation = operationOf(route);
    const body = operation.requestBody === undefined ? null : Object.keys(operation.requestBody.content)[0];
    assert.equal(route.body, body, `body of ${operation.operationId}`);
    const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
    assert.deepEqual(
      Object.entries(route.query).map(([name, { values, isRequired }]) => ({ name, values, isRequired })),
      query.map(({ name, schema, required }) => ({ name, values: schema.enum, isRequired: required === true })),
      `query of ${operation.operationId}`,
    );
  }
});

test('operation ids are unique and every operation describes its refusals', () => {
  const ids = ROUTES.map((route) => operationOf(route).operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const route of ROUTES) assert.ok('default' in operationOf(route).responses, route.path);
});

test('the description and the daemon agree on what an id is', () => {
  const pattern = new RegExp(DESCRIPTION.components.schemas['AgentId']?.pattern ?? '');
  const samples = [
    'a',
    '0',
    'a-b',
    'a--b',
    'a'.repeat(48),
    'a'.repeat(49),
    '',
    '-a',
    'a-',
    'A',
    'a_b',
    'a.b',
    'ä',
    'a\n',
  ];
  for (const id of samples) assert.equal(pattern.test(id), isAgentId(id), JSON.stringify(id));
});

test('every error code has the form of the description', () => {
  const pattern = new RegExp(DESCRIPTION.components.schemas['Code']?.pattern ?? '');
  assert.deepEqual(
    Object.keys(ERRORS).filter((code) => !pattern.test(code)),
    [],
  );
});

test('what is generated from the description is fresh', async () => {
  const generator = pathToFileURL(join(CHECKOUT, 'src/setup/generate-api.mjs')).href;
  const { apiFiles } = (await import(generator)) as { apiFiles(): Promise<readonly { path: string; text: string }[]> };
  const files = await apiFiles();
  assert.ok(files.length > 0);
  for (const { path, text } of files) {
    assert.equal(readFileSync(join(CHECKOUT, path), 'utf8'), text, `${path} is stale: npm run generate`);
  }
});

function operationOf({ method, path }: Route): OperationDescription {
  const operation = DESCRIPTION.paths[path]?.[method.toLowerCase()];
  assert.ok(operation !== undefined, `${method} ${path}`);
  return operation;
}
