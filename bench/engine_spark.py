"""The aggregations of bench/engine.py as PySpark DataFrames, local[2]. Reads commands from stdin, a JSON list a line, and answers with a JSON line each:

  ["parquet", DIR]                      the tables as Parquet files
  ["run", "metrics"|"clicks", "jdbc"|DIR, NEAR, AS_OF_END, WANTED]   {"seconds": of the aggregation, "rows": what came out, if that is wanted}

Run by the Python that has pyspark: engine_spark.py JDBC-URL USER IVY-DIR
"""
import json
import os
import sys
import time

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

DRIVER = "org.postgresql:postgresql:42.7.4"
JDBC_PARTITIONS = 4  # by range of buckets, as the table is partitioned


class Tables:
    def __init__(self, spark, url, user):
        self.spark, self.url, self.user = spark, url, user

    def jdbc(self, table, columns):
        query = "(select %s from %s) t" % (columns, table)
        return self.spark.read.jdbc(self.url, query, column="bucket", lowerBound=0, upperBound=4096, numPartitions=JDBC_PARTITIONS,
                                    properties={"user": self.user, "driver": "org.postgresql.Driver", "fetchsize": "10000"})

    def read(self, table, source, columns):
        return self.jdbc(table, columns) if source == "jdbc" else self.spark.read.parquet(os.path.join(source, table)).select(*columns.split(", "))


def metrics(t, source, near, _as_of_end):
    exposures = t.read("exposures", source, "at, bucket, experiment, variant, unit")
    signals = t.read("signals", source, "at, bucket, type, unit, query_id, position, value")
    first = (exposures.where("experiment = 'ranker'").groupBy("unit")
             .agg(F.min("at").alias("first_at"), F.min("variant").alias("variant"), F.max("variant").alias("other"))
             .where("variant = other").select("unit", "first_at", "variant", F.to_date("first_at").alias("day"))).cache()
    is_click = F.col("type") == "click"
    queries = (signals.where("type in ('request', 'click')").groupBy("unit", "query_id")
               .agg(F.min(F.when(F.col("type") == "request", F.col("at"))).alias("at"), F.max("value").alias("results"),
                    F.min(F.when(is_click, (F.unix_micros("at") - int(near) * 1000000) * 16 + F.col("position"))).alias("click")))
    known = F.broadcast(first.select("unit", "first_at", "variant"))
    of_queries = (queries.join(known, "unit").where("at >= first_at").groupBy("unit", F.to_date("at").alias("day"))
                  .agg(F.count("*").alias("q"), F.sum(F.when(F.col("results") == 0, 1).otherwise(0)).alias("z"), F.count("results").alias("k"),
                       F.sum(F.when(F.col("click").isNull(), 0.0).otherwise(1 / F.pmod("click", F.lit(16)))).alias("r")))
    of_signals = (signals.where("type in ('click', 'purchase')").join(known, "unit").where("at >= first_at")
                  .groupBy("unit", F.to_date("at").alias("day"))
                  .agg(F.sum(F.when(is_click, 1).otherwise(0)).alias("c"), F.sum(F.when(~is_click, F.col("value"))).alias("v")))
    names = ("q", "z", "k", "r", "c", "v")
    daily = of_queries.join(of_signals, ["unit", "day"], "full").select("unit", "day", *(F.coalesce(n, F.lit(0)).cast("double").alias("d" + n) for n in names))
    w = Window.partitionBy("unit").orderBy("day")
    running = daily.select("*", *(F.sum("d" + n).over(w).alias(n) for n in names)).join(known, "unit")

    def step(a, b):
        return F.sum(F.expr("{0} * {1} - ({0} - d{0}) * ({1} - d{1})".format(a, b))).alias(a + b)
    sums = running.groupBy("variant", "day").agg(
        F.sum(F.expr("cast(c > 0 as int) - cast(c - dc > 0 as int)")).alias("any_click"), *(F.sum("d" + n).alias(n) for n in names),
        *(step(a, b) for a, b in ("cc", "qq", "cq", "rr", "rq", "zz", "kk", "zk", "vv")))
    newcomers = first.groupBy("variant", "day").agg(F.count("*").alias("n"))
    both = sums.join(newcomers, ["variant", "day"], "full")
    w = Window.partitionBy("variant").orderBy("day")
    rows = both.select("variant", "day", *(F.sum(n).over(w).alias(n) for n in both.columns if n not in ("variant", "day"))).collect()
    first.unpersist()
    return rows


def clicks(t, source, _near, as_of_end):
    signals = t.read("signals", source, "at, bucket, type, query, doc")
    weight = F.when(F.col("type") == "click", 1.0).when(F.col("type") == "cart", 10.0).otherwise(25.0)
    age = F.unix_micros("at") / 1e6 - as_of_end
    by_pair = (signals.where("type in ('click', 'cart', 'purchase')").where(F.unix_micros("at") < as_of_end * 1e6)
               .groupBy(F.lower("query").alias("query"), "doc")
               .agg(F.sum(weight * F.pow(F.lit(2.0), age / (30 * 86400))).alias("weight"), F.count("*").alias("signals"),
                    F.sum(F.when(F.col("type") == "click", 1).otherwise(0)).alias("clicks"),
                    F.sum(F.when(F.col("type") == "purchase", 1).otherwise(0)).alias("purchases"), F.max("at").alias("last_at")))
    w = Window.partitionBy("query").orderBy(F.desc("weight"), "doc")
    return (by_pair.withColumn("rank", F.row_number().over(w))
            .select("query", "rank", "doc", "weight", "signals", "clicks", "purchases", "last_at").collect())


def main():
    url, user, ivy = sys.argv[1:4]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Spark and Ivy print is no answer
    spark = (SparkSession.builder.master("local[2]").appName("bench engine").config("spark.jars.packages", DRIVER).config("spark.jars.ivy", ivy)
             .config("spark.sql.shuffle.partitions", "4").config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
             .config("spark.sql.session.timeZone", "UTC").config("spark.driver.host", "127.0.0.1").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    tables = Tables(spark, url, user)
    print(json.dumps({"spark": spark.version}), file=out, flush=True)
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        start = time.monotonic()
        if command == "parquet":
            for table, columns in (("signals", "at, bucket, type, unit, session, query_id, query, doc, position, value"),
                                   ("exposures", "at, bucket, experiment, variant, unit")):
                tables.jdbc(table, columns).write.mode("overwrite").parquet(os.path.join(arguments[0], table))
            answer = {}
        else:
            rows = {"metrics": metrics, "clicks": clicks}[arguments[0]](tables, *arguments[1:4])
            answer = {"columns": list(rows[0].asDict()), "rows": [[str(v) for v in r] for r in rows] if arguments[4] else []}
        print(json.dumps({"seconds": time.monotonic() - start, **answer}), file=out, flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
