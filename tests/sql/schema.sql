CREATE FUNCTION public.ensure_partition(wanted date) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    parent text;
    day_name text;
    part text;
begin
    foreach parent in array array['signals', 'exposures'] loop
        day_name := parent || '_' || to_char(wanted, 'YYYYMMDD');
        continue when to_regclass(day_name) is not null;
        perform pg_advisory_xact_lock(hashtext('experimentd partitions'));
        continue when to_regclass(day_name) is not null;
        execute format('create table %I (like %I including all) partition by range (bucket)', day_name, parent);
        for i in 0..3 loop
            part := day_name || '_' || i;
            execute format('create table %I partition of %I for values from (%s) to (%s)', part, day_name, i * 1024, (i + 1) * 1024);
        end loop;
        execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, day_name,
                       wanted::timestamp at time zone 'UTC', (wanted + 1)::timestamp at time zone 'UTC');
    end loop;
end
$$;

CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    label text NOT NULL,
    scope text NOT NULL,
    hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_scope CHECK ((scope = ANY (ARRAY['client'::text, 'qa'::text, 'analyst'::text, 'admin'::text])))
);

CREATE TABLE public.config_version (
    singleton boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT config_version_one_row CHECK (singleton)
);

CREATE TABLE public.experiment_metrics (
    experiment text NOT NULL,
    metric text NOT NULL,
    "position" smallint NOT NULL,
    role text NOT NULL,
    CONSTRAINT experiment_metrics_role CHECK ((role = ANY (ARRAY['primary'::text, 'secondary'::text, 'guardrail'::text])))
);

CREATE TABLE public.experiments (
    key text NOT NULL,
    id integer NOT NULL,
    name text NOT NULL,
    hypothesis text DEFAULT ''::text NOT NULL,
    status text NOT NULL,
    hash_attribute text DEFAULT 'id'::text NOT NULL,
    hash_version smallint DEFAULT 2 NOT NULL,
    seed text NOT NULL,
    coverage double precision NOT NULL,
    origin text DEFAULT 'live'::text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    stopped_at timestamp with time zone,
    CONSTRAINT experiments_coverage CHECK (((coverage >= (0)::double precision) AND (coverage <= (1)::double precision))),
    CONSTRAINT experiments_hash_version CHECK ((hash_version = ANY (ARRAY[1, 2]))),
    CONSTRAINT experiments_key_format CHECK ((key ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'::text)),
    CONSTRAINT experiments_origin CHECK ((origin = ANY (ARRAY['live'::text, 'imported'::text, 'simulated'::text]))),
    CONSTRAINT experiments_status CHECK ((status = ANY (ARRAY['draft'::text, 'running'::text, 'stopped'::text])))
);

ALTER TABLE public.experiments ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.experiments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.exposures (
    at timestamp with time zone NOT NULL,
    bucket smallint NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    unit text NOT NULL
)
PARTITION BY RANGE (at);

CREATE TABLE public.import_position (
    file bytea NOT NULL,
    name text NOT NULL,
    "position" bigint NOT NULL,
    signals bigint NOT NULL,
    exposures bigint NOT NULL,
    rejected bigint NOT NULL,
    done boolean DEFAULT false NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.journal_position (
    journal uuid NOT NULL,
    "position" bigint NOT NULL,
    host text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.metrics (
    key text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    kind text NOT NULL,
    direction text NOT NULL,
    display text NOT NULL,
    CONSTRAINT metrics_direction CHECK ((direction = ANY (ARRAY['increase'::text, 'decrease'::text]))),
    CONSTRAINT metrics_display CHECK ((display = ANY (ARRAY['share'::text, 'count'::text, 'seconds'::text, 'score'::text]))),
    CONSTRAINT metrics_kind CHECK ((kind = ANY (ARRAY['proportion'::text, 'mean'::text, 'ratio'::text])))
);

CREATE TABLE public.moments (
    experiment text NOT NULL,
    metric text NOT NULL,
    variant text NOT NULL,
    segment text DEFAULT ''::text NOT NULL,
    day date NOT NULL,
    n bigint NOT NULL,
    mean_x double precision NOT NULL,
    m2_x double precision NOT NULL,
    mean_y double precision,
    m2_y double precision,
    cxy double precision
);

CREATE TABLE public.moments_current (
    experiment text NOT NULL,
    run uuid NOT NULL,
    as_of timestamp with time zone NOT NULL,
    units bigint NOT NULL,
    multiple_exposures bigint NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.revisions (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor text NOT NULL,
    subject text NOT NULL,
    action text NOT NULL,
    before jsonb,
    after jsonb
);

ALTER TABLE public.revisions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.revisions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.run_passes (
    run uuid NOT NULL,
    pass smallint NOT NULL,
    name text NOT NULL,
    splits integer NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    rows_in bigint DEFAULT 0 NOT NULL,
    seconds double precision
);

CREATE TABLE public.runs (
    id uuid NOT NULL,
    job text NOT NULL,
    params jsonb NOT NULL,
    engine text NOT NULL,
    workers integer NOT NULL,
    state text NOT NULL,
    epoch integer DEFAULT 1 NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    progress real DEFAULT 0 NOT NULL,
    rows_in bigint DEFAULT 0 NOT NULL,
    retries integer DEFAULT 0 NOT NULL,
    error text,
    CONSTRAINT runs_state CHECK ((state = ANY (ARRAY['running'::text, 'publishing'::text, 'success'::text, 'failed'::text, 'cancelled'::text, 'lost'::text])))
);

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.signal_ids (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.signals (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    bucket smallint NOT NULL,
    type text NOT NULL,
    unit text NOT NULL,
    session text,
    query_id text,
    query text,
    doc text,
    "position" integer,
    value double precision,
    params jsonb
)
PARTITION BY RANGE (at);

CREATE TABLE public.variants (
    experiment text NOT NULL,
    "position" smallint NOT NULL,
    key text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    weight double precision NOT NULL,
    value json NOT NULL,
    CONSTRAINT variants_weight CHECK (((weight >= (0)::double precision) AND (weight <= (1)::double precision)))
);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_hash_unique UNIQUE (hash);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.config_version
    ADD CONSTRAINT config_version_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.experiment_metrics
    ADD CONSTRAINT experiment_metrics_pkey PRIMARY KEY (experiment, metric);

ALTER TABLE ONLY public.experiments
    ADD CONSTRAINT experiments_id_unique UNIQUE (id);

ALTER TABLE ONLY public.experiments
    ADD CONSTRAINT experiments_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.import_position
    ADD CONSTRAINT import_position_pkey PRIMARY KEY (file);

ALTER TABLE ONLY public.journal_position
    ADD CONSTRAINT journal_position_pkey PRIMARY KEY (journal);

ALTER TABLE ONLY public.metrics
    ADD CONSTRAINT metrics_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.moments_current
    ADD CONSTRAINT moments_current_pkey PRIMARY KEY (experiment);

ALTER TABLE ONLY public.moments
    ADD CONSTRAINT moments_pkey PRIMARY KEY (experiment, metric, variant, segment, day);

ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT revisions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.run_passes
    ADD CONSTRAINT run_passes_pkey PRIMARY KEY (run, pass);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_key PRIMARY KEY (version);

ALTER TABLE ONLY public.signal_ids
    ADD CONSTRAINT signal_ids_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.variants
    ADD CONSTRAINT variants_key_unique UNIQUE (experiment, key);

ALTER TABLE ONLY public.variants
    ADD CONSTRAINT variants_pkey PRIMARY KEY (experiment, "position");

CREATE INDEX revisions_subject ON public.revisions USING btree (subject, id);

ALTER TABLE ONLY public.experiment_metrics
    ADD CONSTRAINT experiment_metrics_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;

ALTER TABLE ONLY public.experiment_metrics
    ADD CONSTRAINT experiment_metrics_metric_fkey FOREIGN KEY (metric) REFERENCES public.metrics(key);

ALTER TABLE ONLY public.moments_current
    ADD CONSTRAINT moments_current_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;

ALTER TABLE ONLY public.moments_current
    ADD CONSTRAINT moments_current_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);

ALTER TABLE ONLY public.moments
    ADD CONSTRAINT moments_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;

ALTER TABLE ONLY public.moments
    ADD CONSTRAINT moments_metric_fkey FOREIGN KEY (metric) REFERENCES public.metrics(key);

ALTER TABLE ONLY public.run_passes
    ADD CONSTRAINT run_passes_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.variants
    ADD CONSTRAINT variants_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;
