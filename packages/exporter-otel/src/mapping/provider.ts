/** https://github.com/open-telemetry/semantic-conventions-genai, gen_ai.provider.name */
const WELL_KNOWN = new Set([
  'anthropic',
  'aws.bedrock',
  'azure.ai.inference',
  'azure.ai.openai',
  'cohere',
  'deepseek',
  'gcp.gemini',
  'gcp.gen_ai',
  'gcp.vertex_ai',
  'groq',
  'ibm.watsonx.ai',
  'mistral_ai',
  'moonshot_ai',
  'openai',
  'perplexity',
  'x_ai',
]);

/** What SDKs and gateways call them; the more exact name stands first. */
const PROVIDERS: readonly (readonly [prefix: string, provider: string])[] = [
  ['google.vertex', 'gcp.vertex_ai'],
  ['google-vertex', 'gcp.vertex_ai'],
  ['vertex', 'gcp.vertex_ai'],
  ['google', 'gcp.gemini'],
  ['gemini', 'gcp.gemini'],
  ['amazon-bedrock', 'aws.bedrock'],
  ['bedrock', 'aws.bedrock'],
  ['azure-openai', 'azure.ai.openai'],
  ['azure_openai', 'azure.ai.openai'],
  ['azure', 'azure.ai.inference'],
  ['mistral', 'mistral_ai'],
  ['xai', 'x_ai'],
  ['grok', 'x_ai'],
  ['moonshot', 'moonshot_ai'],
  ['kimi', 'moonshot_ai'],
  ['watsonx', 'ibm.watsonx.ai'],
];

/** Whose models these are, for a call that does not name its provider. */
const MODELS: readonly (readonly [prefix: string, provider: string])[] = [
  ['gpt-', 'openai'],
  ['chatgpt', 'openai'],
  ['o1', 'openai'],
  ['o3', 'openai'],
  ['o4', 'openai'],
  ['text-embedding-', 'openai'],
  ['claude', 'anthropic'],
  ['gemini', 'gcp.gemini'],
  ['mistral', 'mistral_ai'],
  ['ministral', 'mistral_ai'],
  ['codestral', 'mistral_ai'],
  ['deepseek', 'deepseek'],
  ['grok', 'x_ai'],
  ['command', 'cohere'],
  ['kimi', 'moonshot_ai'],
  ['moonshot', 'moonshot_ai'],
  ['sonar', 'perplexity'],
];

/** `gen_ai.provider.name`, which a model call must have. */
export function providerOf(provider: string | undefined, model: string): string {
  if (provider === undefined) return match(MODELS, model.toLowerCase()) ?? 'unknown';
  const name = provider.toLowerCase();
  return WELL_KNOWN.has(name) ? name : (match(PROVIDERS, name) ?? name);
}

function match(table: typeof MODELS, name: string): string | undefined {
  return table.find(([prefix]) => name.startsWith(prefix))?.[1];
}
