import { describe, expect, test } from 'vitest';
import { providerOf } from './provider.ts';

describe('providerOf', () => {
  test.each([
    ['openai', 'openai'],
    ['OpenAI', 'openai'],
    ['azure.ai.openai', 'azure.ai.openai'],
    ['azure-openai', 'azure.ai.openai'],
    ['azure', 'azure.ai.inference'],
    ['google.vertex.chat', 'gcp.vertex_ai'],
    ['vertex_ai', 'gcp.vertex_ai'],
    ['google.generative-ai', 'gcp.gemini'],
    ['amazon-bedrock', 'aws.bedrock'],
    ['aws.bedrock', 'aws.bedrock'],
    ['mistral', 'mistral_ai'],
    ['xai', 'x_ai'],
    ['moonshot', 'moonshot_ai'],
    ['watsonx', 'ibm.watsonx.ai'],
    ['acme', 'acme'],
  ])('%s is %s', (given, expected) => {
    expect(providerOf(given, 'claude-opus-5')).toBe(expected);
  });

  test.each([
    ['gpt-4o', 'openai'],
    ['o3-mini', 'openai'],
    ['claude-opus-5', 'anthropic'],
    ['Gemini-3', 'gcp.gemini'],
    ['mistral-large', 'mistral_ai'],
    ['grok-4', 'x_ai'],
    ['llama-4', 'unknown'],
    ['', 'unknown'],
  ])('without a name the model %s says %s', (model, expected) => {
    expect(providerOf(undefined, model)).toBe(expected);
  });
});
