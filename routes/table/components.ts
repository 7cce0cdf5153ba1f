/**
 * The schemas that have names in `/openapi.json`; wherever one of them stands inside of another, its name does.
 *
 * @module
 */
import type { GenericSchema } from "valibot";
import { ExtractionSchema } from "../../core/adapters/extraction_document.ts";
import { AnalysisSchema } from "../../core/analysis/document.ts";
import { LocalSchema } from "../../core/atm/local_options.ts";
import { AtmSchema } from "../../core/atm/rounds/atm_schema.ts";
import { TaskSchema } from "../../core/atm/task_schema.ts";
import { EvaluateSchema, TrainingGraphSchema, TuneSchema } from "../../core/atm/tune_document.ts";
import { LossSchema } from "../../core/gradient/loss_options.ts";
import { OptimizerSchema } from "../../core/gradient/optimizer_options.ts";
import { RecipeSchema, SettingSchema } from "../../core/merge/recipe_schema.ts";
import { SourceEntrySchema } from "../../core/merge/sources.ts";
import { TaskVectorSchema } from "../../core/merge/task_vector_document.ts";
import { StatisticsSchema } from "../../core/statistics/statistics_document.ts";
import { AnalysisAnswer } from "./answers/analysis.ts";
import { AtmEvent } from "./answers/atm.ts";
import { Method, MethodList, ProblemEntry, ProblemList } from "./answers/catalogue.ts";
import { CheckpointPage, Manifest, TensorList } from "./answers/checkpoint.ts";
import { Extraction, ExtractionEvent } from "./answers/extraction.ts";
import { AcceptedJob, Job, JobList } from "./answers/job.ts";
import { MergeReport, PlanAnswer, PutResult } from "./answers/merge.ts";
import { Alive, OpenApi, Overview, Ready } from "./answers/service.ts";
import { LedgerEntry, StatisticsAnswer, StatisticsEvent } from "./answers/statistics.ts";
import { EvaluateAnswer, EvaluateEvent, Score, TuneAnswer, TuneEvent } from "./answers/tune.ts";
import { BlobIdSchema } from "./parameters.ts";

/** The schemas by name: documents, then answers, then parts of them. */
export const COMPONENTS = {
  Recipe: RecipeSchema,
  AnalysisRequest: AnalysisSchema,
  TaskVectorRequest: TaskVectorSchema,
  ExtractionRequest: ExtractionSchema,
  TuneRequest: TuneSchema,
  EvaluateRequest: EvaluateSchema,
  TrainingGraphRequest: TrainingGraphSchema,
  StatisticsRequest: StatisticsSchema,
  AtmRequest: AtmSchema,
  Source: SourceEntrySchema,
  Setting: SettingSchema,
  Task: TaskSchema,
  LocalSettings: LocalSchema,
  Optimizer: OptimizerSchema,
  Loss: LossSchema,
  Plan: PlanAnswer,
  MergeReport,
  PutResult,
  Analysis: AnalysisAnswer,
  Extraction,
  ExtractionEvent,
  Manifest,
  CheckpointPage,
  TensorList,
  TuneAnswer,
  TuneEvent,
  EvaluateAnswer,
  EvaluateEvent,
  StatisticsAnswer,
  StatisticsEvent,
  AtmEvent,
  Job,
  JobList,
  AcceptedJob,
  Method,
  MethodList,
  ProblemEntry,
  ProblemList,
  Overview,
  Alive,
  Ready,
  OpenApi,
  BlobId: BlobIdSchema,
  Score,
  LedgerEntry,
} as const satisfies Readonly<Record<string, GenericSchema>>;

/** What the schemas cannot say: the service checks it all the same, and tells every fault at once. */
export const COMPONENT_NOTES: Readonly<Partial<Record<keyof typeof COMPONENTS, string>>> = {
  Recipe:
    "mergekit's keys and some of ours. Beyond this schema: exactly one of models and slices, " +
    "the parameters that the method declares (GET /methods), and names that sources or uploads explain.",
  AnalysisRequest: "A recipe as it is; keys that only a merge uses are ignored.",
  ExtractionRequest: "Beyond this schema: either task_vector, or base and model; exactly one of " +
    "rank and energy.",
  TuneRequest: "Beyond this schema: a shard, and epochs or steps but not both.",
  StatisticsRequest: "Beyond this schema: `fisher` takes cross_entropy only; augment and merge " +
    "stand with `gram`, outcomes with `fisher`; tasks have different names.",
  AtmRequest: "Beyond this schema: tasks have different names, and what stop, references and " +
    "privacy ask for must be there (ATM rounds).",
  Source: "Beyond this schema: exactly one of upload, checkpoint, url, path and hub; headers " +
    "stand with url or hub, revision and file with hub.",
};
