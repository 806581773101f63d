// What a case is: a name that says what must hold, what the machine has to allow for it, and the doing.
import type { Ability, Place } from './machine.ts';

export interface Case {
  readonly name: string;
  readonly needs: readonly Ability[];
  run(place: Place): Promise<void>;
}
