import { Variant } from '@particle/dbus-next';
import type { UnitProperty } from '../plan/unit-property.ts';

/** `a(sv)` of StartTransientUnit: names with typed values. dbus-next takes arrays for structs and bigint for 64-bit numbers as they are. */
export function propertyArguments(properties: readonly UnitProperty[]): readonly (readonly [string, Variant])[] {
  return properties.map(({ name, signature, value }) => [name, new Variant(signature, value)]);
}

/** The value inside a variant; anything else as it is. */
export function plain(value: unknown): unknown {
  return value instanceof Variant ? value.value : value;
}
