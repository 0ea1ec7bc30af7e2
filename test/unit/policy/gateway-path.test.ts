import assert from 'node:assert/strict';
import test from 'node:test';
import { findGateway, gatewayRequest } from '../../../src/policy/gateway-path.ts';
import { gatewayQuery } from '../../../src/policy/gateway-query.ts';
import { PROVIDERS, type ProviderName } from '../../../src/policy/provider.ts';
import { readPath } from '../../../src/policy/request-path.ts';
import type { Gateway, GatewayBase } from '../../../src/policy/table.ts';

function gateway(provider: ProviderName, base: Partial<GatewayBase> = {}, below = ''): Gateway {
  return {
    provider,
    mount: `${PROVIDERS[provider].mount}${below}`,
    base: { scheme: 'https', host: 'api.example.com', port: 443, path: '', ...base },
    field: PROVIDERS[provider].field,
    username: provider === 'git' ? 'x-access-token' : null,
    key: 'sk-real',
    placeholder: null,
    pointer: '/credentials/0',
  };
}

const ALL: readonly Gateway[] = [
  gateway('anthropic'),
  gateway('openai', { path: '/v1' }),
  gateway('google'),
  gateway('custom', { host: '11.0.0.9', port: 8443, path: '/team%7ea/llm' }, '/llm.example.com:8443'),
  gateway('git', { path: '/acme' }, '/git.example.com'),
  gateway('ollama', { scheme: 'http', host: '127.0.0.1', port: 11434, path: '/v1' }),
];

/** Method and target as a client sends them; what is sent on, or why not. */
function sent(method: string, target: string): string {
  const [path = '', query] = target.split(/(?=\?)/, 2);
  const read = readPath(path);
  if (read === null) return 'ambiguous';
  const found = findGateway(ALL, read.judged);
  if (found === null) return 'no gateway';
  const request = gatewayRequest(found, { method, path: read.judged, query: query ?? '' });
  return request === null ? 'refused' : `${request.host} ${request.target}`;
}

test('what follows the mount goes below the base URL', () => {
  const cases: readonly (readonly [method: string, target: string, sent: string])[] = [
    ['POST', '/anthropic/v1/messages?beta=true', 'api.example.com /v1/messages?beta=true'],
    ['POST', '/anthropic/v1/messages/count_tokens', 'api.example.com /v1/messages/count_tokens'],
    ['HEAD', '/anthropic/v1/models', 'api.example.com /v1/models'],
    ['POST', '/openai/v1/responses/compact', 'api.example.com /v1/responses/compact'],
    ['GET', '/openai/v1/responses/resp_1?stream=true', 'api.example.com /v1/responses/resp_1?stream=true'],
    ['GET', '/openai/v1/models/org/name:tag', 'api.example.com /v1/models/org/name:tag'],
    ['POST', '/openai/v1/responses', 'api.example.com /v1/responses'],
    [
      ...['POST', '/google/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse'],
      'api.example.com /v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
    ] as [string, string, string],
    ['GET', '/custom/llm.example.com:8443/anything', '11.0.0.9:8443 /team~a/llm/anything'],
    ['GET', '/custom/llm.example.com:8443', '11.0.0.9:8443 /team~a/llm'],
    ['POST', '/ollama/v1/chat/completions', '127.0.0.1:11434 /v1/chat/completions'],
    [
      ...['GET', '/git/git.example.com/acme/tool.git/info/refs?service=git-upload-pack'],
      'api.example.com /acme/tool.git/info/refs?service=git-upload-pack',
    ] as [string, string, string],
    ['GET', '/git/git.example.com/acme.git/info/refs', 'api.example.com /acme.git/info/refs'],
    ['POST', '/git/git.example.com/acme.git/info/lfs/locks', 'api.example.com /acme.git/info/lfs/locks'],
    ['POST', '/git/git.example.com/acme/tool/git-receive-pack', 'api.example.com /acme/tool/git-receive-pack'],
    [
      ...['POST', '/git/git.example.com/acme/tool.git/info/lfs/objects/batch'],
      'api.example.com /acme/tool.git/info/lfs/objects/batch',
    ] as [string, string, string],
  ];
  assert.deepEqual(
    cases.map(([method, target]) => [method, target, sent(method, target)]),
    cases,
  );
});

test('what a provider has beside its models is not passed on, nor any method that changes things', () => {
  const refused: readonly (readonly [method: string, target: string])[] = [
    ['GET', '/anthropic'],
    ['GET', '/anthropic/v1/files'],
    ['GET', '/anthropic/v1/organizations/api_keys'],
    ['GET', '/anthropic/v1/messagesx'],
    ['DELETE', '/anthropic/v1/models/x'],
    ['PUT', '/anthropic/v1/messages'],
    ['OPTIONS', '/anthropic/v1/messages'],
    ['GET', '/openai/v1/files'],
    ['POST', '/anthropic/v1/messages/batches'],
    ['GET', '/anthropic/v1/messages/b%61tches'],
    ['GET', '/anthropic/v1/messages/msgbatch_1/results'],
    ['POST', '/anthropic/v1/models'],
    ['GET', '/openai/v1/chat/completions'],
    ['GET', '/openai/v1/chat/completions/chatcmpl-1/messages'],
    ['GET', '/openai/v1/responses'],
    ['POST', '/openai/v1/batches'],
    ['POST', '/google/v1beta/models/gemini:batchGenerateContent'],
    ['POST', '/google/v1beta/models/gemini%3AbatchGenerateContent'],
    ['GET', '/google/v1beta/models/veo/operations/1'],
    ['GET', '/google/v1beta/cachedContents'],
    ['GET', '/git/git.example.com/acme/tool.git/config'],
    ['GET', '/git/git.example.com/api/v4/user'],
    ['GET', '/git/git.example.com/other/tool.git/info/refs'],
    ['GET', '/git/git.example.com/acmex/tool.git/info/refs'],
    ['GET', '/git/git.example.com/acme.git/tool/info/refs'],
    ['GET', '/git/git.example.com/acme.gitx/info/refs'],
    ['GET', '/git/git.example.com/acme.git.git/info/refs'],
    ['GET', '/git/git.example.com/acme.git/x/info/lfs/objects'],
    ['POST', '/git/git.example.com/acme/tool.git/info/refs'],
    ['GET', '/git/git.example.com/acme/tool.git/git-upload-pack'],
    ['GET', '/git/git.example.com/acme/api/contents/info/lfs/x'],
    ['GET', '/git/git.example.com/info/refs'],
  ];
  assert.deepEqual(
    refused.filter(([method, target]) => sent(method, target) !== 'refused'),
    [],
  );
});

test('no way of writing a path leads out of what is passed on', () => {
  const targets = [
    '/anthropic/v1/messages/../files',
    '/anthropic/v1/messages/%2e%2e/files',
    '/anthropic/v1/messages/%2E%2e/%2e./v1/files',
    '/anthropic/v1/messages/..%2ffiles',
    '/anthropic/v1/messages%2f..%2ffiles',
    '/anthropic/v1/messages/..;/files',
    '/anthropic/v1/messages/..%3bx/files',
    '/anthropic/v1/messages/%252e%252e/files',
    '/anthropic/v1/messages/..\\files',
    '/anthropic/v1/messages/%c0%ae%c0%ae/files',
    '/anthropic/v1/messages%00/x',
    '/anthropic/v1/messages%2f../files',
    '/anthropic//v1//files',
    '/anthropic/v1%2ffiles',
    '/anthropic/v1/message%73x',
    '/custom/llm.example.com:8443/../../anthropic/v1/files',
    '/git/git.example.com/acme/../other/x.git/info/refs',
    '/git/git.example.com/acme/%2e%2e/other/x.git/info/refs',
    '/git/git.example.com//other/x.git/info/refs',
  ];
  const passed = targets.filter((target) => !/^(?:ambiguous|no gateway|refused)$/.test(sent('GET', target)));
  assert.deepEqual(passed, []);
  // The same tricks where they change nothing: what is judged is what is sent.
  assert.equal(sent('GET', '/x/../anthropic//v1/./files/../%6dodels'), 'api.example.com /v1/models');
  assert.equal(sent('GET', '//anthropic/v1/models'), 'api.example.com /v1/models');
  assert.equal(sent('GET', '/custom/llm.example.com:8443/../llm.example.com:8443/a'), '11.0.0.9:8443 /team~a/llm/a');
});

test('a mount is a whole part of a path', () => {
  for (const target of ['/', '/anthropicx/v1/messages', '/openai/chat/completions', '/git', '/custom/llm.example.com'])
    assert.equal(sent('GET', target), 'no gateway', target);
});

test('credentials are taken out of a query, however their names are written', () => {
  const cases: readonly (readonly [query: string, left: string])[] = [
    ['', ''],
    ['?', '?'],
    ['?alt=sse', '?alt=sse'],
    ['?key=a', ''],
    ['?alt=sse&key=a&b', '?alt=sse&b'],
    ['?%6bey=a&a=1', '?a=1'],
    ['?KEY=a&Api_Key=b&access_token=c&a=1', '?a=1'],
    ['?key&a=1', '?a=1'],
    ['?a=1;key=b', ''],
    ['?+key=b', ''],
    ['?keys=a&monkey=b&x=key', '?keys=a&monkey=b&x=key'],
    ['?%zz=1', '?%zz=1'],
  ];
  assert.deepEqual(
    cases.map(([query]) => [query, gatewayQuery(query)]),
    cases,
  );
});
