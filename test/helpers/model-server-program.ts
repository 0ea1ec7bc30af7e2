import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { ModelServer, type ModelServerOptions } from './model-server.ts';

// The model server by itself, without TLS. Its one argument is `{port, keys, actions}` in JSON. It says `{"port"}` when
// it listens, then each call on a line of its own, and ends with its standard input.

const options = JSON.parse(process.argv[2] ?? '') as ModelServerOptions & { readonly port: number };
const say = (line: unknown): unknown => process.stdout.write(`${JSON.stringify(line)}\n`);
const models = new ModelServer(options, say);
const server = createServer((request, response) => void models.serve(request, response));
server.listen(options.port, '127.0.0.1', () => {
  const address = server.address();
  say({ port: typeof address === 'object' ? address?.port : null });
});
createInterface({ input: process.stdin }).on('close', () => process.exit(0));
