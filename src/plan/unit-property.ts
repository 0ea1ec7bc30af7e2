/** One value of a unit property in the D-Bus type system (org.freedesktop.systemd1). */
export type PropertyValue = string | boolean | number | bigint | readonly PropertyValue[];

/** A property of a transient unit: what StartTransientUnit takes. */
export interface UnitProperty {
  /** Name on the bus, for example `MemoryMax` or `RuntimeMaxUSec`. */
  readonly name: string;
  /** D-Bus signature of the value. */
  readonly signature: string;
  /** The value; structs and arrays are arrays, 64-bit integers are bigint. */
  readonly value: PropertyValue;
}
