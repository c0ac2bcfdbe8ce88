#include "stats/xstat/xstat.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

const struct xstat_method xstat_methods[] = {
    { "moments", "count, mean and variance of a column, covariance of two, from parts that are merged",
      "adding: d = x - mean; mean += d/n; m2 += d (x - mean). merging A and B: d = mean_B - mean_A;\n"
      "  mean = mean_A + d n_B/n; m2 = m2_A + m2_B + d² n_A n_B/n; likewise the cross term",
      "B. P. Welford, Technometrics 4 (1962); T. F. Chan, G. H. Golub, R. J. LeVeque, American Statistician 37 (1983)",
      "x: numbers; y: a second column; splits: lengths of the parts to merge",
      "n mean m2 var sd; with y: mean_y m2_y var_y cov", xstat_moments },
    { "welch_t", "Welch's t of two means (treatment - control)",
      "t = (m_t - m_c)/√(V_c + V_t), V = var/n; A = V_c/(V_c + V_t); df = 1/(A²/(n_c - 1) + (1 - A)²/(n_t - 1));\n"
      "  P(T > t) = I_{df/(df + t²)}(df/2, 1/2)/2; interval diff -/+ t_{1-alpha/2, df} se",
      "B. L. Welch, Biometrika 34 (1947)",
      "n_c mean_c var_c n_t mean_t var_t alpha (var: unbiased; alpha: two-sided); normal: true, of infinite df",
      "diff se df t log_p_two_sided p_two_sided log_p_greater log_p_less ci_lo ci_hi", xstat_welch_t },
    { "mean_t", "one mean and its interval", "interval mean -/+ t_{1-alpha/2, n - 1} √(var/n)",
      "Student, Biometrika 6 (1908)", "n mean var alpha (var: unbiased; alpha: two-sided)", "mean se df ci_lo ci_hi",
      xstat_mean_t },
    { "ratio_delta", "ratio of sums over units, by the delta method",
      "R = Σx/Σy; Var R = (s_xx - 2 R s_xy + R² s_yy)/(n ȳ²); z = (R_t - R_c)/√(V_c + V_t);\n"
      "  lift = (R_t - R_c)/|R_c|, se² = (V_t + (R_t/R_c)² V_c)/R_c²",
      "A. Deng, U. Knoblich, J. Lu, KDD 2018",
      "n_* mean_num_* mean_den_* var_num_* var_den_* cov_* alpha, or the columns num_* den_*; * is c and t",
      "ratio_* var_ratio_* diff se z log_p p ci_lo ci_hi welch_df lift lift_se_delta lift_ci_* fieller_kind "
      "fieller_lift_*",
      xstat_ratio_delta },
    { "relative_lift", "relative effect with delta, logarithmic and Fieller intervals",
      "lift = (m_t - m_c)/|m_c|; Fieller: all θ with (m_t - θ m_c)² <= z² (V_t - 2 θ C + θ² V_c): bounded when\n"
      "  g = z² V_c/m_c² < 1, else everything outside an interval, or the whole line",
      "E. C. Fieller, JRSS B 16 (1954)",
      "mean_* var_* n_* alpha; cov_means: covariance of the two means, 0 when absent",
      "diff se_diff z_diff log_p_diff ratio lift lift_se_delta delta_* log_ratio_* fieller_kind fieller_* "
      "fieller_lift_* fieller_g",
      xstat_relative_lift },
    { "cuped", "an effect adjusted by covariates of the time before",
      "θ = (Σ S_xx)^-1 Σ S_xy within arms; diff = ȳ_t - ȳ_c - θ'(x̄_t - x̄_c), variance of an arm (S_yy - 2 θ'S_xy + "
      "θ'S_xx θ)/(n - 1)/n;\n"
      "  Welch's t; lift: Fieller's set with the covariance of diff and ȳ_c; grand: moments around the mean of all; "
      "ancova, lin: OLS\n"
      "  y ~ 1 + w + x and y ~ 1 + w + (x - x̄) + w (x - x̄), HC2 = Σ c² e²/(1 - h)",
      "A. Deng, Y. Xu, R. Kohavi, T. Walker, WSDM 2013; W. Lin, Annals of Applied Statistics 7, 2013",
      "n_* mean_y_* mean_x_* var_y_* var_x_* cov_xy_*; or y_* and x_* (a column a covariate); or, of a ratio, num_* "
      "den_* "
      "pre_num_*\n"
      "  pre_den_*; alpha; * is c and t; regression: true, for ancova and lin from y and x",
      "theta diff_unadjusted se_unadjusted adj_mean_* diff se variance_reduction df t log_p p ci_* lift lift_* "
      "theta_grand diff_grand\n"
      "  se_grand growthbook_lift growthbook_lift_se ancova_ate ancova_se_* lin_ate lin_se_*",
      xstat_cuped },
    { "winsorize", "means with extreme values cut to quantiles of both arms together, and Yuen's trimmed t",
      "values beyond the cuts count as the cuts; cuts: type-7 quantiles of both arms' values; Yuen: mean without g = "
      "floor(trim n) values\n"
      "  at each end, variance SS_w/(h (h - 1)), h = n - 2 g, Welch's t of h - 1",
      "K. K. Yuen, Biometrika 61, 1974; R. Kohavi, D. Tang, Y. Xu, Trustworthy Online Controlled Experiments, 2020",
      "x_c x_t; lower upper: levels, 0 and 1; trim: share of each end, 0",
      "cut_* mean_* var_* n_capped_* diff se z log_p diff_uncapped se_uncapped trimmed_mean_* yuen_t yuen_df "
      "yuen_log_p",
      xstat_winsorize },
    { "post_strat", "an effect by strata: post-stratification (with CUPED), heterogeneity, Simpson's reversal",
      "effect = Σ w_k d_k; conditional variance Σ w_k² (V_tk + V_ck), super-population + Σ w_k (d_k - effect)²/N, t of "
      "N - 2 K;\n"
      "  Q = Σ (d_k - d̄)²/v_k, chi-square of K - 1, I² = max(0, (Q - K + 1)/Q)",
      "L. W. Miratrix, J. S. Sekhon, B. Yu, JRSS B 75, 2013; H. Xie, J. Aurisset, KDD 2016; W. G. Cochran 1954",
      "strata: n_* mean_* var_* each, or with a covariate n_* mean_y_* mean_x_* var_y_* var_x_* cov_xy_*; alpha;\n"
      "  weights: of the strata, their shares of units when absent",
      "effect control_mean se_conditional z_conditional log_p_conditional ci_* se_superpop, df t p log_p ci_*_superpop "
      "by it;\n"
      "  lift lift_se fieller_lift_* naive_diff\n"
      "  simpson_reversal fixed_effect cochran_q q_df log_p_q i_squared; theta with a covariate",
      xstat_post_strat },
    { "quantile_clustered", "a quantile of the events of users who were randomised",
      "order statistic of rank ⌈n q⌉; s² = Var(share of events at or below it) by the delta method over users; "
      "interval: "
      "ranks\n"
      "  ⌊n (q - z s)⌋ and ⌊n (q + z s)⌋ + 1, se = their distance/2z; scaled: ranks with s² = q (1 - q)/n, variance "
      "times "
      "the quotient",
      "A. Deng, U. Knoblich, J. Lu, KDD 2018; C. Yao, P. Li, C. Lu 2024; sketch: stats/ranks/sketch.h",
      "q alpha users_c users_t (a list of events each); sketch: true, through a mergeable histogram; or GrowthBook's "
      "summaries\n"
      "  arm_c and arm_t: n n_star nu quantile_hat quantile_lower quantile_upper, and sums over n_clusters; or "
      "moments_c and\n"
      "  moments_t: n_users n_events, mean_* and var_* of a user's events below (at or below value) and events, cov; "
      "value\n"
      "  at the quantile's rank, lo and hi at the ranks of 95 % around it",
      "n_events_* n_users_* quantile_* ecdf_at_quantile_* var_indicator_* outer_* iid_rank_* se_outer var_iid_* "
      "var_scaled_*\n"
      "  reliable_* diff z_* log_p_* se_scaled lift lift_lo lift_hi (Fieller) relative_error; of summaries variance_* "
      "diff se ci_* lift lift_se "
      "lift_ci_*;\n"
      "  of moments rank_* rank_lo_* rank_hi_* se_* ci_*, diff se z p log_p ci_* lift lift_lo lift_hi",
      xstat_quantile_clustered },
    { "mann_whitney", "ranks of two arms: Mann-Whitney, AUC, Brunner-Munzel, Hodges-Lehmann",
      "U_t = #(t > c) + #(t = c)/2; z = (U_t - n_c n_t/2)/√Var, Var = n_c n_t Σ T_{k-1} t_k T_k/(4 N (N - 1)) over "
      "groups "
      "of ties;\n"
      "  bm = (U_t/(n_c n_t) - 1/2)/√(V_c + V_t), V of the placements, t of Welch's df; exact: all ways to choose, "
      "ties "
      "too;\n"
      "  hodges_lehmann: median of all t - c",
      "H. B. Mann, D. R. Whitney 1947; E. Brunner, U. Munzel, Biometrical Journal 42, 2000; M. Hollander, D. Wolfe",
      "x_c x_t; or values (ascending), counts_c counts_t; alpha: 0.05, of the interval of auc",
      "n_* u_* auc z log_p z_cc_abs log_p_cc p_exact p_exact_greater bm_stat bm_df bm_log_p auc_lo auc_hi "
      "hodges_lehmann",
      xstat_mann_whitney },
    { "two_proportion", "two proportions: tests, intervals of difference and ratio",
      "pooled z = d/√(p(1 - p)(1/n_c + 1/n_t)); Wilson: roots of (1 + z²/n) P² - (2p + z²/n) P + p²;\n"
      "  Newcombe: d -/+ √((p_t - l_t)² + (u_c - p_c)²); Miettinen-Nurminen: (d - δ)² = z² N/(N-1) Var_δ; Koopman "
      "likewise for p_t/p_c",
      "R. G. Newcombe 1998; O. Miettinen, M. Nurminen 1985; R. W. Mee 1984; P. A. R. Koopman 1984; A. Agresti, B. "
      "Caffo 2000",
      "x_c n_c x_t n_t alpha",
      "p_* diff se_* z_* log_p_* p_* wald_* wilson_* newcombe_* agresti_caffo_* mn_* mee_* rr rr_score rr_katz g_stat "
      "fisher_p "
      "clopper_pearson_*",
      xstat_two_proportion },
    { "chi_square_srm", "sample ratio mismatch: counts against weights",
      "chi2 = Σ (O - E)²/E, df = arms of positive weight - 1; G = 2 Σ O ln(O/E);\n"
      "  sequential: ln BF = ln B(α + n) - ln B(α) - Σ n_i ln w_i, α = concentration w; p = min over time of 1/BF",
      "K. Pearson 1900; M. Lindon, A. Malek, NeurIPS 2022",
      "observed weights; concentration (and batches: counts per interval) for the sequential test; exact_binomial: "
      "true",
      "n_total df expected chi2 log_p p g log_p_g; log_p_binomial; log_bayes_factor sequential_p posterior_prob_srm",
      xstat_chi_square_srm },
    { "msprt_and_confidence_sequence",
      "looks at any time: mixture SPRT, confidence sequences, boundaries, shares, anytime t",
      "z = effect/se, k = tau²/se² = n rho²: ln e = k z²/(2 (1 + k)) - ln(1 + k)/2, p = min(1, 1/e);\n"
      "  half width se √((1 + 1/k) (2 ln(1/alpha) + ln(1 + k))); one side se √(2 (1 + 1/k) ln(1 + √(1 + k)/(2 "
      "alpha)));\n"
      "  rho: n_star rho² = -2 ln a + ln(1 - 2 ln a), exactly -W_{-1}(-a²/e) - 1, a = alpha or 2 alpha of one side",
      "R. Johari et al., arXiv 1512.04922; I. Waudby-Smith et al., Annals of Statistics 52 (2024); S. R. Howard et "
      "al., "
      "Annals of Statistics 49 (2021); M. Lindon et al., arXiv 2210.08589",
      "effect se tau alpha theta0 (mixture SPRT); effects ses tau alpha (its looks); effect se n alpha sides (two, "
      "greater, "
      "less) and\n"
      "  n_star or rho (confidence sequence); v s alpha v_opt alpha_opt one_sided, and g h (mixtures); v alpha v_min c "
      "s eta\n"
      "  (stitching); successes trials alpha t_opt alpha_opt (share); t df n g alpha (regression)",
      "log_lambda halfwidth ci_* bound log_e log_p p rho_*; rho or r, log_mixture bound; p_hat lo hi; t_radius",
      xstat_msprt_and_confidence_sequence },
    { "group_sequential", "planned looks: bounds, power, and p, estimate and interval after a stop",
      "g_k(s) = ∫ g_{k-1}(u) φ((s - u - drift Δ)/√Δ)/√Δ du over those that went on, s = Z √t; bounds: P(exit up at k) "
      "=\n"
      "  f(a, t_k) - f(a, t_{k-1}), a = alpha/sides; ld_obf f = 2 (1 - Φ(z_{a/2}/√t)), ld_pocock a ln(1 + (e - 1) t), "
      "power a "
      "t^par,\n"
      "  hsd a (1 - e^(-par t))/(1 - e^-par); or z_k = C (t_k/t_K)^(delta - 1/2): obrien_fleming 0, pocock 1/2; stop: "
      "p(drift) =\n"
      "  Σ_{j<k} P(exit up at j) + P(reach k, Z_k >= z); estimate: p = 1/2, interval: p = alpha/2 and 1 - alpha/2",
      "C. Jennison, B. Turnbull, Group Sequential Methods, 2000; K. Lan, D. DeMets, Biometrika 70 (1983); A. Tsiatis, "
      "G. "
      "Rosner, C. Mehta, Biometrics 40 (1984)",
      "kind obrien_fleming, pocock, wang_tsiatis (delta), haybittle_peto (z_interim) or spending (function, par): "
      "alpha t; "
      "sides: 2;\n"
      "  power: z t, and drift or power and alpha; final: z t look z_observed ci_alpha;\n"
      "  looks: what the looks so far say: t z alpha, function (or haybittle_peto), par, se of the last one: 1",
      "z nominal_p cum_alpha constant; exit_up exit_lo power expected_t drift_for_power inflation; p_one_sided "
      "median_unbiased ci naive_estimate;\n"
      "  of looks z_bounds bound stop p log_p (sequential) effect ci_lo ci_hi (repeated)",
      xstat_group_sequential },
    { "holm_bh",
      "many tests at once: adjusted p of a family, weights, fixed sequence, one family after the other, e-values",
      "p ascending, n tests: bonferroni n p; sidak 1 - (1 - p)^n; holm max_{j<=i} (n - j + 1) p_j; hochberg min_{j>=i} "
      "of the "
      "same;\n"
      "  bh min_{j>=i} n p_j/j; by n Σ(1/j) for n; hommel: Simes' test of every family that holds i; weighted_holm: (Σ "
      "w left) "
      "p/w;\n"
      "  gatekeeping: max(holm within the family, all of the families before); e_bh: the k largest, k = max{j: e_j >= "
      "n/(alpha "
      "j)}",
      "S. Holm 1979; Y. Hochberg 1988; G. Hommel 1988; Y. Benjamini, Y. Hochberg 1995; Y. Benjamini, D. Yekutieli "
      "2001; R. "
      "Wang, A. Ramdas 2022",
      "p; procedure: adjust, weighted_holm (weights), fixed_sequence, gatekeeping (families: lists of p), e_bh (log_e "
      "alpha);\n"
      "  with p: effects ses alpha (0.05) for the intervals that go with Holm and BH: alpha/n and alpha (rejected)/n "
      "each",
      "bonferroni sidak holm holm_sidak hochberg hommel (up to 2000 tests) bh by; holm_* and bh_* interval_alpha lo "
      "hi; "
      "weighted_*; adjusted; family_*; rejected n_rejected",
      xstat_holm_bh },
    { "shrinkage", "effects of many segments drawn towards their mean: empirical Bayes",
      "y_k ~ N(θ_k, V_k), θ_k ~ N(mean, A); W = 1/(V + A); mean = ΣWy/ΣW; A: ΣW(y - mean)² = K - 1, or 0;\n"
      "  B = (K - 3)/(K - 1) V W; effect = (1 - B) y + B mean; se² = V (1 - (1 - W/ΣW) B) + 2/(K - 3) B² W (V̄ + A) (y "
      "- mean)²,\n"
      "  V̄ = ΣWV/ΣW; interval effect -/+ z_{1-alpha/2} se",
      "C. N. Morris, JASA 78 (1983); R. C. Paule, J. Mandel, J. Res. NBS 87 (1982); B. Efron, C. Morris, JASA 70 "
      "(1975)",
      "effects ses (4 or more) alpha", "mean variance factor effect se ci_lo ci_hi", xstat_shrinkage },
    { "ks_uniform", "are the p-values of A/A tests uniform?",
      "D = max(i/n - p_i, p_i - (i - 1)/n); P(D >= d) exactly: a Poisson process kept between both boundaries, in the "
      "tail "
      "2 d Σ_j\n"
      "  C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j); A² = -n - Σ (2i - 1) [ln p_i + ln(1 - p_{n+1-i})]/n; rejections: "
      "binomial",
      "Z. Birnbaum, F. Tingey 1951; T. Anderson, D. Darling 1954; A. Moscovich, B. Nadler, Stat. Prob. Letters 123 "
      "(2017)",
      "p: one of each test",
      "n d_plus d_minus d p_exact log_p_exact p_asymptotic frac_below_* anderson_darling log_p_rejections_5pct",
      xstat_ks_uniform },
    { "effect_trend", "does the effect change with the days since exposure?",
      "w = 1/se²; pooled Σ w e/Σ w; slope Σ w (x - x̄) e/Σ w (x - x̄)², se 1/√Σ w (x - x̄)²; Q = Σ w (e - pooled)²;\n"
      "  late - early: difference of the two pooled effects",
      "S. Sadeghi et al., arXiv 2102.12893; W. Cochran 1954",
      "effects ses: of independent periods; early: how many of them are the early ones; day: 1 to n when absent",
      "pooled_* slope slope_se slope_z slope_log_p cochran_q q_df log_p_q early_effect late_effect late_minus_early*",
      xstat_effect_trend },
    { "team_draft_sign_test", "interleaving: merging with given coins, credit of clicks, sign test, preference by user",
      "team draft: of the level teams a coin chooses, each picks its best left; balanced: the ranking read less far "
      "goes on;\n"
      "  delta = (wins_a + ties/2)/N - 1/2; p: binomial of wins_a among wins_a + wins_b fair coins; users: t of their "
      "mean\n"
      "  scores, and the mean of all queries with its standard error clustered by user",
      "F. Radlinski, M. Kurup, T. Joachims, CIKM 2008; T. Joachims 2002; O. Chapelle et al., TOIS 30 (2012)",
      "kind team_draft: a b (ids), flips (1: A picks), k, clicks (from 0); balanced: a b a_first k clicks;\n"
      "  sign_test: wins_a wins_b ties alpha; user_scores: users (a list of scores each);\n"
      "  user_moments: n; mean var of users' mean scores; mean_num var_num of their sums of scores, mean_den var_den "
      "of their "
      "queries, cov; alpha",
      "list teams flips_used credit_* winner; log_p_exact p_exact z log_p_normal delta_* share*; mean se t log_p "
      "query_mean query_se_clustered ci_lo ci_hi",
      xstat_team_draft_sign_test },
    { "ndcg_mrr_err", "how good one ranking is, by the grades of its documents",
      "dcg Σ gain_i/log2(i + 1) over ranks 1 to k, gain 2^g - 1 (exp) or g (lin); ndcg dcg/idcg of the judged in the "
      "best "
      "order;\n"
      "  rr 1/rank of the first relevant; err Σ (1/i) R_i ∏_{j<i} (1 - R_j), R = (2^g - 1)/2^max_grade; ap Σ P@i "
      "rel_i/(relevant "
      "judged);\n"
      "  rbp (1 - p) Σ rel_i p^(i-1); no relevant document: 0",
      "K. Jarvelin, J. Kekalainen 2002; C. Burges et al. 2005; O. Chapelle et al. 2009; A. Moffat, J. Zobel 2008",
      "grades: in rank order; k; all_grades: of every judged document, grades when absent; max_grade relevant_at "
      "rbp_p: 4 1 0.8",
      "dcg_* idcg_* ndcg_* rr err precision recall ap rbp success", xstat_ndcg_mrr_err },
    { "ranking_metrics", "metrics of one ranking by name, as trec_eval has them, and the variants of others",
      "ndcg@k ndcg_burges@k (2^g - 1) ndcg_burges_uncut@k dcg@k dcg_burges@k map@k mrr@k err(max=)@k precision@k (over "
      "k)\n"
      "  precision_returned@k (over min(k, length)) r_precision recall@k rbp(p=)@k rbp_graded(p=,max=)@k success@k "
      "judged@k;\n"
      "  names of trec_eval and ir_measures are understood; scores: float32 descending, equal ones by document id "
      "descending",
      "trec_eval 10.0-rc3; stats/ranking/metric.h",
      "metrics: names; docs in order, or with scores; judged_docs judged_grades; or grades (of the list) and "
      "all_grades;\n"
      "  max_grade relevant_at: 4 1; unjudged: zero, or skip (as if not in the list)",
      "names (canonical) values", xstat_ranking_metrics },
    { "rank_similarity", "how alike two lists are: RBO, Jaccard, overlap",
      "rbo_truncated (1 - p)/(1 - p^n) Σ p^(d-1) |A_d ∩ B_d|/max(|A_d|, |B_d|), n the longer length; rbo: "
      "extrapolated;\n"
      "  jaccard |A ∩ B|/|A ∪ B|; overlap |A ∩ B|/max(|A|, |B|); frequency_weighted: Σ over items of both of the mean "
      "of\n"
      "  their shares, over Σ of all",
      "W. Webber, A. Moffat, J. Zobel, TOIS 28 (2010), equation 32; Search Relevance Workbench",
      "a b: documents, best first; p: 0.9; counts_a counts_b: how often each item stands in the two collections",
      "rbo_truncated rbo jaccard overlap common frequency_weighted", xstat_rank_similarity },
    { "judge_agreement", "do two judges of the same documents agree: weighted kappa, tau-b",
      "kappa 1 - Σ w O/Σ w E, w_ij = (i - j)²/(k - 1)², E from the margins; tau_b (C - D)/sqrt((C + D + T_x)(C + D + "
      "T_y)),\n"
      "  pairs within each query, added up",
      "J. Cohen, Psychological Bulletin 70 (1968); M. G. Kendall, Biometrika 33 (1945)",
      "grades: k, and table: k rows of k counts, [one's grade][the other's]; x y: a list of values for each query",
      "kappa tau concordant discordant tied_x tied_y", xstat_judge_agreement },
    { "paired_rankers", "two rankers on the same queries: t, randomisation, Wilcoxon, sign, bootstrap",
      "d_i = b_i - a_i; diff Σ w d/Σ w; se² n/(n - 1) Σ w² (d - diff)²/(Σ w)²; randomisation: share of signs with\n"
      "  |Σ ± w d| >= the observed, all 2^n up to 20 that are not 0, else (count + 1)/(draws + 1); Wilcoxon: exact "
      "given the\n"
      "  ranks up to 50 that are not 0; bootstrap: type-7 percentiles of the mean of queries drawn again",
      "M. Smucker, J. Allan, B. Carterette, CIKM 2007; F. Wilcoxon 1945; T. Sakai, SIGIR 2006",
      "a b: a value a query; weights; alpha: 0.05; draws: 10000; seed: 1",
      "mean_a mean_b diff se ci_* bootstrap_* wins losses ties df t log_p_t log_p_randomisation exact ranks_plus "
      "ranks_minus log_p_wilcoxon log_p_sign",
      xstat_paired_rankers },
    { "bandit_weights", "weights of a bandit's arms: Thompson, top-two, epsilon-greedy, with a floor",
      "P(i best) = ∫ f_i ∏_{j≠i} F_j; top-two: w_i (β + (1 - β) Σ_{j≠i} w_j/(1 - w_j)); floor: f + (1 - K f) w_i, "
      "equal "
      "weights\n"
      "  when K f >= 1; top_two_inclusion: P(i first or second)/2; rounded: steps of 1/10000 by largest remainders",
      "W. R. Thompson, Biometrika 25 (1933); D. Russo, COLT 2016",
      "means sds (normal arms), or a b (shapes of beta arms); larger is better; floor epsilon beta: 0.01 0.1 0.5 when "
      "absent",
      "prob_best log_prob_best top_two_inclusion thompson_with_floor thompson_rounded ttts epsilon_greedy",
      xstat_bandit_weights },
    { "beta_binomial", "shares of several arms: chance to be best, expected losses, credible intervals",
      "posterior Beta(α + x, β + n - x); P(i best) = ∫ f_i ∏_{j≠i} F_j; E[max_j θ_j - θ_i] = ∫ F_i (1 - ∏_{j≠i} F_j) "
      "dx, both "
      "by\n"
      "  quadrature in the logit; interval: equal tails",
      "A. Gelman et al., Bayesian Data Analysis; C. Stucchio 2015 (expected loss)",
      "arms: x n each, prior_alpha prior_beta: 1; alpha: 1 - level of the intervals; the first arm is A",
      "post_alpha post_beta post_mean ci_* prob_best log_prob_best expected_loss log_expected_loss; of two arms "
      "prob_b_beats_a\n"
      "  expected_loss_choose_a expected_loss_choose_b",
      xstat_beta_binomial },
    { "normal_bayes",
      "an effect: normal posterior, chance to win, expected losses, ROPE, Bayes factor; or several arms",
      "1/s² = 1/se² + 1/v, m = s² (effect/se² + prior/v); loss_ship = E max(-δ, 0) = s (φ(z) - z Q(z)), z = m/s; "
      "loss_keep at "
      "-z;\n"
      "  log_bf10 = ln prior(0)/posterior(0); arms: as beta_binomial",
      "A. Gelman et al., Bayesian Data Analysis, 2.5; J. M. Dickey, Annals of Mathematical Statistics 42, 1971",
      "effect se alpha; prior_proper: false, prior_mean prior_var; rope: half width; or means sds of several arms",
      "post_mean post_sd chance_to_win log_chance_to_* ci_* loss_ship loss_keep (log_*) log_bf10 p_in_rope "
      "log_p_*_rope; "
      "of arms\n"
      "  prob_best log_prob_best expected_loss log_expected_loss",
      xstat_normal_bayes },
    { "ips_snips_dr", "another policy on logged decisions; the arms of a bandit after it has run",
      "w = target/pscore; ips mean(w r); snips Σ w r/Σ w, se √Σ (w (r - snips))²/Σ w; ess (Σ w)²/Σ w²; dr mean(Σ_a "
      "pi_e q + w "
      "(r - q));\n"
      "  sndr mean(Σ_a pi_e q) + Σ w (r - q)/Σ w; switch_dr: w where w <= switch; dr_os: shrink w/(w² + shrink); ipw "
      "Σ_p "
      "s_p/prob_p/N;\n"
      "  hajek the same over Σ_p n_p/prob_p; stratified Σ_p (N_p/N) mean_p, variance Σ_p (N_p/N)² var_p/n_p",
      "M. Dudik et al. 2014; A. Swaminathan, T. Joachims 2015; Y. Su et al. 2020; V. Hadad et al. 2021",
      "reward pscore, and target_prob or action pi_e q_hat (one row of each: of all rows); clip switch shrink; or "
      "arms, batches: {n_total prob n sum "
      "sum_sq}",
      "ips ips_se snips snips_se ess mean_weight max_weight clipped_ips dm dr dr_se sndr switch_dr dr_os; ipw hajek "
      "naive "
      "stratified stratified_se",
      xstat_ips_snips_dr },
    { "power_two_proportion", "two shares, planned: power, units, detectable effect",
      "power = Φ((d - z s0)/s1) + Φ((-d - z s0)/s1), d = |p_t - p_c|, z = z_{alpha/sides}, s1² = p_c q_c/n_c + p_t "
      "q_t/n_t;\n"
      "  s0 likewise, or with the pooled share; units and effects are roots of it",
      "J. L. Fleiss, B. Levin, M. C. Paik, Statistical Methods for Rates and Proportions",
      "solve: power (n_c p_c p_t), n (power p_c p_t) or mde (power n_c p_c; direction: up or down); alpha; sides: 2;\n"
      "  ratio: n_t/n_c, 1; pooled: true; both_tails: true",
      "power; n_c_real n_c n_t; mde_abs mde_rel", xstat_power_two_proportion },
    { "power_t", "two means, planned: power, units, detectable effect",
      "power = P(T > t) + P(T < -t), T noncentral t, df = n_c + n_t - 2, delta/(sd √(1/n_c + 1/n_t)), t = "
      "t_{alpha/sides, df}",
      "J. Cohen, Statistical Power Analysis, 1988; R. V. Lenth, AS 243 (1989)",
      "solve: power (n_c delta), n (power delta) or mde (power n_c; mean: of control); sd alpha; sides: 2; ratio: 1;\n"
      "  both_tails: true; variance_reduction: share of the variance that a covariate takes away, 0",
      "power; n_c_real n_c n_t; mde_abs mde_rel", xstat_power_t },
    { "plan_sequential", "a test that is looked at early, planned: units, power, detectable effect, days",
      "Z drifts as effect √I, I = n_c/(var_c + var_t/ratio); power: P(Z leaves its bounds at any look) (see "
      "group_sequential);\n"
      "  bounds: fixed z_{alpha/sides}; spending; any_time: a confidence sequence tuned for the last look, or for the "
      "share tuned\n"
      "  of all units; haybittle_peto: nominal alpha/50 at all looks but the last; inflation: units beside\n"
      "  one look at the end; days: traffic_days (n/traffic_units)^(1/growth); of a quantile, w = 2 1.96 rank_sd √n "
      "ranks\n"
      "  between, f parts of the variance: P(θ' + Z > z) at θ' = z + (θ - z (1 + Σ (3 f - f²)/2w))/√(1 + z² Σ f²/w)",
      "C. Jennison, B. Turnbull, Group Sequential Methods, 2000; I. Waudby-Smith et al. 2024 for any_time",
      "solve: power (effect n_c), n (effect power) or mde (n_c power); method: fixed, any_time (tuned: 1), "
      "haybittle_peto or spending "
      "(function, par as in\n"
      "  group_sequential); looks: how many, or t: shares of the units, the last 1; alpha var_c; var_t: var_c; sides: "
      "2; ratio: 1;\n"
      "  rank_sd: of a quantile, √(q (1 - q)) of one event a unit; traffic_units in traffic_days (7) with growth (1: "
      "all units are new) for the days",
      "n_c_real n_c n_t inflation expected_share; power; mde_abs; z; days weeks", xstat_plan_sequential },
    { "special", "tails as logarithms, and quantiles",
      "I_x(a, b) by its continued fraction (DLMF 8.17.22) behind Loader's saddle-point density; quantiles by Newton on "
      "the\n"
      "  logarithm of the tail",
      "C. Loader 2000; R. V. Lenth, AS 243 (1989); NIST DLMF",
      "f and its arguments: norm_logcdf x; norm_upper_quantile p; t_logsf t df; t_upper_quantile p df; chi2_logsf x "
      "df;\n"
      "  log_ibeta a b x; log_beta a b; beta_quantile p a b; binom_log_upper k n p; lambert_wm1 x; nct_upper t df nc; "
      "kolmogorov_sf x",
      "y", xstat_special },
};
const size_t xstat_methods_count = COUNT_OF(xstat_methods);

const struct xstat_method *xstat_find(const char *name)
{
    for (size_t i = 0; i < xstat_methods_count; i++)
        if (strcmp(xstat_methods[i].name, name) == 0)
            return &xstat_methods[i];
    return NULL;
}

void xstat_explain(const struct xstat_method *m, FILE *out)
{
    (void)fprintf(out, "%s: %s\n\nformula: %s\nsource:  %s\ninput:   %s\noutput:  %s\n", m->name, m->summary,
                  m->formula, m->source, m->input, m->output);
}

static json_t *refusal(const struct err *err)
{
    return json_pack("{s:o}", "error", json_sprintf("%s: %s", err_kind_name(err->kind), err->text));
}

/* The first number of the input that is none, with the key that it stands under. */
static const char *not_finite(json_t *v, const char *key, const char **out_text)
{
    static const char *const names[] = { "NaN", "Infinity", "-Infinity" };
    const char *inner_key, *found = NULL;
    json_t *inner;
    for (size_t i = 0; json_is_string(v) && i < COUNT_OF(names); i++)
        if (strcmp(*out_text = json_string_value(v), names[i]) == 0)
            return key;
    for (size_t i = 0; !found && i < json_array_size(v); i++)
        found = not_finite(json_array_get(v, i), key, out_text);
    if (json_is_object(v)) {
        json_object_foreach(v, inner_key, inner)
        {
            if ((found = not_finite(inner, inner_key, out_text)))
                break;
        }
    }
    return found;
}

/* A refusal names the field that is no finite number: the methods themselves speak of means and variances. */
static void name_field(json_t *object, struct err *err)
{
    const char *text, *key = not_finite(object, "", &text);
    if (key && strncmp(err->text, "field \"", 7) != 0)
        (void)err_prefix(err, "field \"%.60s\" is %s: ", key, text);
}

json_t *xstat_compute(const struct xstat_method *m, json_t *object, struct err *err)
{
    struct arena arena;
    struct xstat_in in;
    if (!json_is_object(object)) {
        err_set(err, ERR_INVALID, "the input is no JSON object");
        return NULL;
    }
    arena_init(&arena, 4096);
    json_t *out = json_object();
    xstat_in_begin(&in, object, &arena);
    if (!m->run(&in, out, err)) {
        name_field(object, err);
        json_decref(out);
        out = NULL;
    }
    arena_release(&arena);
    return out;
}

json_t *xstat_answer(const struct xstat_method *m, const char *line, size_t n)
{
    struct err err = { 0 };
    json_auto_t *object = json_parse((struct str){ line, n }, &err);
    json_t *out = object ? xstat_compute(m, object, &err) : NULL;
    return out ? out : refusal(&err);
}

static bool write_line(const json_t *answer, FILE *out, struct err *err)
{
    char *text = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(17));
    bool ok = text && fputs(text, out) >= 0 && putc('\n', out) != EOF && fflush(out) == 0;
    free(text);
    return ok || err_set_errno(err, "cannot write an answer");
}

bool xstat_run(const struct xstat_method *m, FILE *in, FILE *out, struct err *err)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    bool ok = true;
    while (ok && (n = getline(&line, &room, in)) >= 0) {
        json_auto_t *answer = xstat_answer(m, line, (size_t)n);
        ok = write_line(answer, out, err);
    }
    free(line);
    return ok && (!ferror(in) || err_set_errno(err, "cannot read the input"));
}
