import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inCheckout } from './checkout.mjs';

/** Name of koffi's native half beside the bundles, in dist/ and in the installed tree. */
export const KOFFI_NATIVE = 'koffi.node';

/**
 * An esbuild plugin: koffi searches for its native half in directories around its own package, which a bundle no longer
 * has. Its hook for static builds (`./src/static.cjs`) is answered with a plain require of the file beside the bundle,
 * and its CommonJS half is used because a CommonJS bundle has no `import.meta`.
 * @type {import('esbuild').Plugin}
 */
export const koffiLoader = {
  name: 'koffi-loader',
  setup(build) {
    build.onResolve({ filter: /^koffi$/ }, () => ({ path: inCheckout('node_modules/koffi/index.cjs') }));
    build.onResolve({ filter: /(^|\/)static\.c?js$/ }, (args) =>
      args.importer.includes(`${join('node_modules', 'koffi')}/`)
        ? { path: args.path, namespace: 'koffi-static' }
        : null,
    );
    build.onLoad({ filter: /.*/, namespace: 'koffi-static' }, () => ({
      contents: `exports.loadStatic = () => require('./${KOFFI_NATIVE}');`,
      loader: 'js',
    }));
    build.onResolve({ filter: /\.node$/, namespace: 'koffi-static' }, (args) => ({ path: args.path, external: true }));
  },
};

/**
 * Path of koffi's native half for the Node that runs this, or undefined when koffi has none for this platform.
 * @returns {string | undefined}
 */
export function findKoffiNative() {
  const require = createRequire(inCheckout('package.json'));
  let directory;
  try {
    directory = dirname(require.resolve(`@koromix/koffi-${process.platform}-${process.arch}/package.json`));
  } catch {
    return undefined;
  }
  const platform = /** @type {any} */ (process.report).getReport().header;
  const libc = platform.glibcVersionRuntime === undefined ? 'musl' : 'linux';
  const native = join(directory, `${libc}_${process.arch}`, KOFFI_NATIVE);
  return existsSync(native) ? native : undefined;
}
