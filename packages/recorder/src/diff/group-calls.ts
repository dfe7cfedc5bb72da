import { groupBy } from './group-by.ts';
import type { RunNode } from './run-node.ts';

/**
 * A run as a recording has it: its calls, by pattern and agent. A recording need not have the patterns and
 * agents themselves, nor which of two agents of one name made a call.
 */
export function groupCalls(roots: readonly RunNode[]): RunNode[] {
  const patterns = new Map<string, { calls: RunNode[]; output: unknown }>();
  const patternOf = (name: string): { calls: RunNode[]; output: unknown } => {
    let pattern = patterns.get(name);
    if (pattern === undefined) patterns.set(name, (pattern = { calls: [], output: undefined }));
    return pattern;
  };
  const open = roots.toReversed().map((node) => ({ node, pattern: '', agent: '' }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node } = next;
    const isPattern = node.kind === 'pattern';
    // what an operation says of itself counts, else what is around it
    const pattern = node.pattern_type || next.pattern;
    const agent = node.agent_name || (isPattern ? '' : next.agent);
    if (isPattern) patternOf(pattern).output = node.answered['output'];
    else if (isCall(node))
      patternOf(pattern).calls.push({ ...node, agent_name: agent, children: [] });
    for (let i = node.children.length - 1; i >= 0; i--)
      open.push({ node: node.children[i] as RunNode, pattern, agent });
  }
  return [...patterns].flatMap(([name, { calls, output }]) => {
    const agents = groupAgents(calls);
    if (name === '') return agents;
    return [group('pattern', name, agents, output === undefined ? {} : { output })];
  });
}

function isCall({ kind }: RunNode): boolean {
  return kind === 'llm_call' || kind === 'tool' || kind === 'routing_decision';
}

function groupAgents(calls: readonly RunNode[]): RunNode[] {
  return [...groupBy(calls.toSorted(byStart), ({ agent_name }) => agent_name)]
    .flatMap(([name, ofAgent]) => (name === '' ? ofAgent : [group('agent', name, ofAgent, {})]))
    .toSorted(byStart);
}

function group(
  kind: 'pattern' | 'agent',
  name: string,
  children: readonly RunNode[],
  answered: RunNode['answered'],
): RunNode {
  const ends = children.map(({ end }) => end);
  return {
    kind,
    name,
    agent_name: kind === 'agent' ? name : '',
    pattern_type: kind === 'pattern' ? name : '',
    start: children[0]?.start ?? 0,
    end: ends.reduce((latest, end) => Math.max(latest, end), 0),
    is_point: children.some(({ is_point }) => is_point),
    is_group: true,
    duration_ms: undefined,
    asked: {},
    answered,
    children,
  };
}

function byStart(a: RunNode, b: RunNode): number {
  return a.start - b.start;
}
