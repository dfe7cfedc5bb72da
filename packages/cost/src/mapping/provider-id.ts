/** Names of OpenTelemetry (`gcp.vertex_ai`) and of the AI SDK (`togetherai.chat`) that are none there. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['gcp', 'google'],
  ['togetherai', 'together'],
]);

/**
 * A provider's name as genai-prices knows it. What stands before the dot names the provider, in
 * OpenTelemetry's `gen_ai.provider.name` (`azure.ai.openai`, `x_ai`) as in the AI SDK (`groq.chat`).
 */
export function toProviderId(provider: string): string {
  const [vendor = ''] = provider.toLowerCase().split('.');
  const name = vendor.replaceAll('_', '-');
  return ALIASES.get(name) ?? name;
}
