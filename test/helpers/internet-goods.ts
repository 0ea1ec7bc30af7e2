import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from './agents.ts';
import { runCommand } from './commands.ts';

/** Makes a repository that can be cloned from `/git/<name>.git` and pushed to. */
export async function makeRepository(root: string, name: string): Promise<string> {
  const directory = join(root, 'git', `${name}.git`);
  mkdirSync(directory, { recursive: true });
  await succeed(runCommand(['git', 'init', '--quiet', '--bare', '--initial-branch=main', directory]));
  await succeed(runCommand(['git', '-C', directory, 'config', 'http.receivepack', 'true']));
  return directory;
}

/** Makes a package for npm, which exports 42. */
export async function makeNodePackage(root: string, name: string): Promise<void> {
  const content = join(root, 'packages', name, 'package');
  mkdirSync(content, { recursive: true });
  writeFileSync(join(content, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
  writeFileSync(join(content, 'index.js'), 'module.exports = 42;\n');
  const archive = join(root, 'packages', `${name}-1.0.0.tgz`);
  await succeed(runCommand(['tar', '-czf', archive, '-C', join(root, 'packages', name), 'package']));
}

/** Makes a package for pip, whose module of that name holds `answer = 42`. */
export async function makeWheel(root: string, name: string): Promise<void> {
  mkdirSync(join(root, 'packages'), { recursive: true });
  const about = `${name}-1.0.0.dist-info`;
  const files = {
    [`${name}.py`]: 'answer = 42\n',
    [`${about}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0.0\n`,
    [`${about}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${about}/RECORD`]: `${name}.py,,\n${about}/METADATA,,\n${about}/WHEEL,,\n${about}/RECORD,,\n`,
  };
  const program =
    'import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as wheel:\n  for name, text in json.load(sys.stdin).items(): wheel.writestr(name, text)';
  const wheel = join(root, 'packages', `${name}-1.0.0-py3-none-any.whl`);
  await succeed(runCommand(['/usr/bin/python3', '-c', program, wheel], { stdin: JSON.stringify(files) }));
}
