import type { Case } from './case.ts';
export const garbage: Case[] = [];
