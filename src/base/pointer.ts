/** A JSON pointer (RFC 6901) one step below another. */
export function pointerTo(parent: string, name: string | number): string {
  return `${parent}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The steps of a JSON pointer, unescaped; none for the whole document. */
export function pointerSteps(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The value that a pointer names, or undefined. Only own properties count. */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const step of pointerSteps(pointer)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}

/** What a name needs to stand in a path of NixOS options without quotes, and the words of the language that do not. */
const NIX_NAME = /^[A-Za-z_][A-Za-z0-9_'-]*$/;
const NIX_WORDS: readonly string[] = ['assert', 'else', 'if', 'in', 'inherit', 'let', 'or', 'rec', 'then', 'with'];

/**
 * A pointer as the name of an option of NixOS below `prefix`: `services.x.allowed_hosts[3].host`. Names that Nix would
 * not take as they are stand in its quotes.
 *
 * @param isMap Tells of the pointer of an object that its names are free, so that one of digits alone is no index.
 */
export function optionName(prefix: string, pointer: string, isMap: (pointer: string) => boolean = () => false): string {
  let name = prefix;
  let parent = '';
  for (const step of pointerSteps(pointer)) {
    const isIndex = /^[0-9]+$/.test(step) && !isMap(parent);
    name += isIndex ? `[${step}]` : `.${nixName(step)}`;
    parent = pointerTo(parent, step);
  }
  return name;
}

/** A name of an attribute as Nix reads it. */
function nixName(name: string): string {
  if (NIX_NAME.test(name) && !NIX_WORDS.includes(name)) return name;
  return JSON.stringify(name).replaceAll('$', '\\$');
}
