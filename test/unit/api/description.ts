import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { CHECKOUT } from '../../helpers/checkout.ts';

/** The parts of an OpenAPI description that tests look at. */
export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationDescription>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly pattern?: string }>>;
    readonly responses: Readonly<Record<string, ResponseDescription>>;
  };
}

/** One operation. */
export interface OperationDescription {
  readonly operationId: string;
  readonly parameters?: readonly ParameterDescription[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, ResponseDescription | { readonly $ref: string }>>;
}

/** One key of a query. */
export interface ParameterDescription {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: { readonly enum?: readonly string[] };
}

interface ResponseDescription {
  readonly content?: Readonly<Record<string, { readonly schema?: { readonly $ref: string } }>>;
}

/** The description of the API as the project publishes it. */
export const DESCRIPTION = readJson('schema/api.openapi.json') as unknown as Description;

const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, allowUnionTypes: true });
ajv.addVocabulary(['openapi', 'jsonSchemaDialect', 'info', 'servers', 'paths', 'components']);
ajv.addSchema(DESCRIPTION, 'api');
// The description refers to the file beside it by its name.
const { $schema: _, $id: __, ...auditEvent } = readJson('schema/audit-event.schema.json');
ajv.addSchema(auditEvent, 'audit-event.schema.json');
const validators = new Map<string, ValidateFunction>();

function readJson(path: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(CHECKOUT, path), 'utf8')) as Readonly<Record<string, unknown>>;
}

/** Fails when a value does not follow a schema of the description, or has a key that it does not name. */
export function assertFollows(schema: string, value: unknown): void {
  const validate = validators.get(schema) ?? compile(schema);
  assert.ok(validate(value), `${schema}: ${JSON.stringify(validate.errors, null, 2)}\n${JSON.stringify(value)}`);
}

/** Fails when a response is not one that the description has for the operation. */
export function assertDescribed(
  method: string,
  template: string,
  answer: { readonly status: number; readonly mediaType: string; readonly text: string },
): void {
  const operation = DESCRIPTION.paths[template]?.[method.toLowerCase()];
  assert.ok(operation !== undefined, `${method} ${template} is not described`);
  const entry =
    operation.responses[answer.status] ?? (answer.status >= 400 ? operation.responses['default'] : undefined);
  assert.ok(entry !== undefined, `${method} ${template} describes no status ${answer.status}`);
  const response = '$ref' in entry ? DESCRIPTION.components.responses[entry.$ref.split('/').at(-1) ?? ''] : entry;
  if (response?.content === undefined) {
    assert.equal(answer.text, '');
    return;
  }
  const schema = response.content[answer.mediaType]?.schema?.$ref.split('/').at(-1);
  assert.ok(schema !== undefined, `${method} ${template} describes no ${answer.mediaType}`);
  const lines = answer.mediaType === 'application/x-ndjson' ? answer.text.trimEnd().split('\n') : [answer.text];
  for (const line of lines) assertFollows(schema, JSON.parse(line));
}

function compile(schema: string): ValidateFunction {
  const validate = ajv.compile({
    allOf: [{ $ref: `api#/components/schemas/${schema}` }],
    unevaluatedProperties: false,
  });
  validators.set(schema, validate);
  return validate;
}
