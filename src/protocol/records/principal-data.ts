// Who a forwarded request comes from, as brokers tell each other (KIP-590). Table only.
import { boolean, message, string, type Decoded } from '../schema.ts';

export const defaultPrincipalData = message(
  'DefaultPrincipalData',
  { type: 'data', versions: '0', flexible: '0+' },
  {
    type: string('0+'),
    name: string('0+'),
    tokenAuthenticated: boolean('0+'),
  },
);
export type DefaultPrincipalData = Decoded<typeof defaultPrincipalData>;
