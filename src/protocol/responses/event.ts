import type {
  FunctionCallItem,
  LogProb,
  OutputItem,
  OutputTextPart,
  RefusalPart,
  SummaryTextPart,
  UrlCitationAnnotation,
} from './items.ts';
import type { ResponseResource } from './response.ts';

/** Members that every event of one content part carries. */
interface InPart {
  item_id: string;
  output_index: number;
  content_index: number;
}

interface InItem {
  item_id: string;
  output_index: number;
}

interface InSummary extends InItem {
  summary_index: number;
}

type Lifecycle<T extends string> = { type: T; response: ResponseResource };

/** Streaming events we emit (protocol.md §1.7), before they are numbered. */
export type UnnumberedEvent =
  | Lifecycle<'response.created'>
  | Lifecycle<'response.in_progress'>
  | Lifecycle<'response.completed'>
  | Lifecycle<'response.incomplete'>
  | Lifecycle<'response.failed'>
  | { type: 'response.output_item.added'; output_index: number; item: OutputItem }
  | { type: 'response.output_item.done'; output_index: number; item: OutputItem }
  | (InPart & { type: 'response.content_part.added'; part: OutputTextPart | RefusalPart })
  | (InPart & { type: 'response.content_part.done'; part: OutputTextPart | RefusalPart })
  | (InPart & { type: 'response.output_text.delta'; delta: string; logprobs: LogProb[] })
  | (InPart & { type: 'response.output_text.done'; text: string; logprobs: LogProb[] })
  | (InPart & { type: 'response.output_text.annotation.added'; annotation_index: number; annotation: UrlCitationAnnotation })
  | (InPart & { type: 'response.refusal.delta'; delta: string })
  | (InPart & { type: 'response.refusal.done'; refusal: string })
  | (InSummary & { type: 'response.reasoning_summary_part.added'; part: SummaryTextPart })
  | (InSummary & { type: 'response.reasoning_summary_part.done'; part: SummaryTextPart; status?: 'incomplete' })
  | (InSummary & { type: 'response.reasoning_summary_text.delta'; delta: string })
  | (InSummary & { type: 'response.reasoning_summary_text.done'; text: string })
  | (InItem & { type: 'response.function_call_arguments.delta'; delta: string })
  | (InItem & { type: 'response.function_call_arguments.done'; name: FunctionCallItem['name']; arguments: string })
  | (InItem & { type: 'response.web_search_call.in_progress' })
  | (InItem & { type: 'response.web_search_call.searching' })
  | (InItem & { type: 'response.web_search_call.completed' });

/** An event as it goes over the wire: one counter per response, from 0, without gaps. */
export type ResponseEvent = UnnumberedEvent & { sequence_number: number };
