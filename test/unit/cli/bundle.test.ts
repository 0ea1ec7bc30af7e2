import assert from 'node:assert/strict';
import test from 'node:test';
import { build } from 'esbuild';
import { CHECKOUT } from '../../helpers/checkout.ts';

/** Packages that cost tens of milliseconds of every start, and rooms that belong to the daemon. */
const HEAVY =
  /node_modules\/(ajv|pino|execa|@particle|koffi|smol-toml|@humanwhocodes)|src\/(api|card|config|control|host|plan|sandbox)\//;

/** Bounds above which somebody should look at what came in, bytes. */
const SIZE_MAX = { 'agent-spawn': 60_000, agentctl: 160_000 } as const;

for (const program of ['agent-spawn', 'agentctl'] as const) {
  test(`the bundle of ${program} holds nothing of the daemon and stays small`, async () => {
    const { inputs, bytes } = await bundle(program);
    assert.deepEqual(
      inputs.filter((path) => HEAVY.test(path)),
      [],
    );
    assert.ok(bytes < SIZE_MAX[program], `${bytes} bytes`);
  });
}

test('agent-spawn loads no package and only modules of Node that are cheap', async () => {
  const { inputs, builtins } = await bundle('agent-spawn');
  assert.deepEqual(
    inputs.filter((path) => path.includes('node_modules')),
    [],
  );
  // The last one, which is not cheap, only while the daemon is at work.
  assert.deepEqual(builtins, ['node:fs', 'node:net', 'node:path', 'node:util', 'node:v8 (later)']);
});

test('what judges cards without a host touches none', async () => {
  const { inputs, builtins } = await bundle('card-check');
  assert.deepEqual(
    inputs.filter((path) =>
      /src\/(api|client|host|proxy|sandbox)\/|node_modules\/(ajv|pino|execa|@particle|koffi)/.test(path),
    ),
    [],
  );
  assert.deepEqual(builtins, ['node:crypto']);
});

test('what the daemon is made of would be found', async () => {
  assert.ok((await bundle('agent-spawnd')).inputs.some((path) => HEAVY.test(path)));
});

async function bundle(
  program: string,
): Promise<{ readonly inputs: readonly string[]; readonly builtins: readonly string[]; readonly bytes: number }> {
  const { metafile } = await build({
    absWorkingDir: CHECKOUT,
    entryPoints: [`src/main/${program}.ts`],
    outfile: `${program}.cjs`,
    bundle: true,
    write: false,
    metafile: true,
    minifySyntax: true,
    minifyWhitespace: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.11',
    external: ['usocket', 'x11', '*.node'],
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  assert.ok(output !== undefined);
  const used = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const builtins = new Set(
    output.imports.map(({ path, kind }) => (kind === 'dynamic-import' ? `${path} (later)` : path)),
  );
  return { inputs: used.map(([path]) => path), builtins: [...builtins].sort(), bytes: output.bytes };
}
