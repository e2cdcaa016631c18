/** What builds of agent servers do differently (backends.md part A). Each can be switched by itself. */
export interface AgentQuirks {
  /** Steps in one answer of GetCascadeTrajectorySteps; 0: all. */
  readonly pageSize: number;
  /** protojson leaves zero values out. */
  readonly omitZeros: boolean;
  /** `names` with their prefix; `bare` suffixes; `numbers`. */
  readonly enums: 'names' | 'bare' | 'numbers';
  /** A null entry stands in the steps of each turn. */
  readonly nullSteps: boolean;
  /** Updates name the changed steps by index; else each update has all steps. */
  readonly sparseUpdates: boolean;
  /** A state stream begins with a snapshot, whose status is IDLE before a turn. */
  readonly firstFrame: boolean;
  readonly stateStream: 'works' | 'unimplemented' | 'missing' | 'silent' | 'eof' | 'fails';
  readonly reactiveStream: 'works' | 'disabled' | 'deprecated' | 'unimplemented' | 'silent';
  /** Stream frames arrive cut anywhere, also inside their header. */
  readonly splitFrames: boolean;
  /** The user's step is there, but the run has not begun and the status is still IDLE. */
  readonly idleBeforeRunMs: number;
  /** RUNNING, but nothing happens. */
  readonly slowStartMs: number;
  /** The run says all it has to say and goes on running. */
  readonly neverFinishes: boolean;
  /** SendUserCascadeMessage answers 500 `executor is busy` so often before it takes a message. */
  readonly busyTimes: number;
  /** GetCascadeTrajectorySteps answers 500 `unknown` so often in a row, once the model speaks. */
  readonly failedReads: number;
  /** At DONE the text is another one. */
  readonly rewriteAtDone: boolean;
  /** While it grows, the text is once shorter than before. */
  readonly textShrinks: boolean;
  /** While the text grows, the step with it is once missing. */
  readonly stepsShrink: boolean;
  /** An ERROR_MESSAGE step before the answer, or in its place. */
  readonly errorStep: 'none' | 'recovers' | 'final';
  /** The agent asks for a permission after its answer; the value is the run's status meanwhile. */
  readonly waiting: 'none' | 'running' | 'busy' | 'idle';
  /** The run ends without a planner step, or with one that says nothing; no model is called. */
  readonly emptyAnswer: 'none' | 'no-step' | 'blank-step';
  /** Thinking text is stripped from the steps; it is still counted. */
  readonly hidesThinking: boolean;
  /** The main call asks for no thinking text; a second call tells it after IDLE. */
  readonly lateThinking: boolean;
  /** From IDLE to the call for the thinking summary. */
  readonly thinkingDelayMs: number;
  /** A title call before the first main call of a cascade. */
  readonly titleCall: boolean;
  /** Title and checkpoint calls quote the user's text. */
  readonly titleQuotes: boolean;
  /** A checkpoint call after the last main call of a turn, and a CHECKPOINT step with its usage. */
  readonly checkpoint: boolean;
  /** What becomes of white space in the user's text; `mangle` collapses it, and drops invisible characters and comments. */
  readonly whitespace: 'keep' | 'trim' | 'lf' | 'trim-lf' | 'mangle';
  /** What is written around the user's text. */
  readonly template: 'user-request' | 'markdown' | 'bare';
  readonly ignoresAgentSpec: boolean;
  /** How often a main call is repeated after 429 or 503. */
  readonly modelRetries: number;
  readonly retryDelayMs: number;
  /** After a cut stream the main call is made again in a new step. */
  readonly retriesCut: boolean;
  /** `response` grows too, not `modifiedResponse` alone. */
  readonly growsResponse: boolean;
  /** From CancelCascadeInvocation to IDLE. */
  readonly cancelMs: number;
}

/** What a build does that has no particular quirk. */
export const defaultQuirks: AgentQuirks = {
  pageSize: 0,
  omitZeros: true,
  enums: 'names',
  nullSteps: false,
  sparseUpdates: true,
  firstFrame: true,
  stateStream: 'works',
  reactiveStream: 'disabled',
  splitFrames: false,
  idleBeforeRunMs: 0,
  slowStartMs: 0,
  neverFinishes: false,
  busyTimes: 0,
  failedReads: 0,
  rewriteAtDone: false,
  textShrinks: false,
  stepsShrink: false,
  errorStep: 'none',
  waiting: 'none',
  emptyAnswer: 'none',
  hidesThinking: false,
  lateThinking: false,
  thinkingDelayMs: 50,
  titleCall: true,
  titleQuotes: true,
  checkpoint: true,
  whitespace: 'keep',
  template: 'user-request',
  ignoresAgentSpec: false,
  modelRetries: 3,
  retryDelayMs: 10,
  retriesCut: false,
  growsResponse: false,
  cancelMs: 10,
};

const words: { readonly [Key in keyof AgentQuirks]?: readonly string[] } = {
  enums: ['names', 'bare', 'numbers'],
  stateStream: ['works', 'unimplemented', 'missing', 'silent', 'eof', 'fails'],
  reactiveStream: ['works', 'disabled', 'deprecated', 'unimplemented', 'silent'],
  errorStep: ['none', 'recovers', 'final'],
  waiting: ['none', 'running', 'busy', 'idle'],
  emptyAnswer: ['none', 'no-step', 'blank-step'],
  whitespace: ['keep', 'trim', 'lf', 'trim-lf', 'mangle'],
  template: ['user-request', 'markdown', 'bare'],
};

/** `name`, `name=value`: quirks as a command line names them. Throws an Error that lists what there is. */
export function parseQuirks(flags: readonly string[]): Partial<AgentQuirks> {
  return Object.fromEntries(flags.map(parseQuirk));
}

function parseQuirk(flag: string): [string, string | number | boolean] {
  const [name = '', written] = flag.split('=', 2);
  if (!isQuirk(name)) throw new Error(`there is no quirk ${name}; there are: ${describeQuirks()}`);
  const value = parseValue(name, written);
  if (value === undefined) throw new Error(`quirk ${describeQuirk(name)}`);
  return [name, value];
}

function parseValue(name: keyof AgentQuirks, written = 'true'): string | number | boolean | undefined {
  switch (typeof defaultQuirks[name]) {
    case 'boolean':
      return written === 'true' || written === 'false' ? written === 'true' : undefined;
    case 'number':
      return /^\d+$/.test(written) ? Number(written) : undefined;
    default:
      return words[name]?.includes(written) === true ? written : undefined;
  }
}

function isQuirk(name: string): name is keyof AgentQuirks {
  return Object.hasOwn(defaultQuirks, name);
}

/** All quirks with the values they take, for `--help`. */
export function describeQuirks(): string {
  return Object.keys(defaultQuirks).filter(isQuirk).map(describeQuirk).join(', ');
}

function describeQuirk(name: keyof AgentQuirks): string {
  const usual = defaultQuirks[name];
  if (typeof usual === 'boolean') return `${name}=true|false`;
  return typeof usual === 'number' ? `${name}=NUMBER` : `${name}=${(words[name] ?? []).join('|')}`;
}
