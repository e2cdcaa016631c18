/** Half way between the budgets that Gemini 2.5 and Claude 4 have for their levels. */
const bounds = [
  { effort: 'none', upTo: 0 },
  { effort: 'low', upTo: 4_096 },
  { effort: 'medium', upTo: 16_384 },
] as const;

/** The nearest effort to so many tokens to think for, for servers that know levels only. Null for a negative number, which leaves it to the model. */
export function effortForBudget(tokens: number): 'none' | 'low' | 'medium' | 'high' | null {
  if (tokens < 0) return null;
  return bounds.find(({ upTo }) => tokens <= upTo)?.effort ?? 'high';
}
