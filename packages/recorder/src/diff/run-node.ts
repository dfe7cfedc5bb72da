import type { TracePayload } from '@pyagent-trace/core';

/** One operation of a run, or an event inside one, as it is compared. */
export interface RunNode {
  /** `pattern`, `agent`, `llm_call`, `tool`, or the type of an event. */
  readonly kind: string;
  readonly name: string;
  readonly agent_name: string;
  readonly pattern_type: string;
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  /** Recorded after the fact, without its duration: what ran beside it is not known. */
  readonly is_point: boolean;
  /** Stands for all operations of a pattern or an agent: nothing was recorded of itself. */
  readonly is_group?: true;
  readonly duration_ms: number | undefined;
  /** What is known when it starts. */
  readonly asked: TracePayload;
  /** What is known when it has ended. */
  readonly answered: TracePayload;
  /** In the order of their starts. */
  readonly children: readonly RunNode[];
}

const LABEL_OF_KIND: ReadonlyMap<string, (node: RunNode) => string> = new Map([
  ['pattern', ({ name }: RunNode) => name || 'pattern'],
  ['agent', ({ name }: RunNode) => name || 'agent'],
  ['tool', ({ name }: RunNode) => `tool ${name}`],
]);

/** What a node is called among its siblings, without its number. */
function labelOf(node: RunNode): string {
  return LABEL_OF_KIND.get(node.kind)?.(node) ?? node.kind;
}

/** The labels of siblings with their numbers: the first of a label has none, save for model calls. */
export function numberedLabels(siblings: readonly RunNode[]): string[] {
  const seen = new Map<string, number>();
  return siblings.map((node) => {
    const label = labelOf(node);
    const number = (seen.get(label) ?? 0) + 1;
    seen.set(label, number);
    return number > 1 || node.kind === 'llm_call' ? `${label} ${number}` : label;
  });
}

/** A node and everything inside it, parents first. Trees may be as deep as a hostile file makes them. */
export function* walk(roots: readonly RunNode[]): Generator<RunNode, void, void> {
  const open = roots.toReversed();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node;
    for (let i = node.children.length - 1; i >= 0; i--) open.push(node.children[i] as RunNode);
  }
}
