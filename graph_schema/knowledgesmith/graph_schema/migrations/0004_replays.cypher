// Graphs whose head beliefs are still to be restored: asked for again and again by an idle worker.
CREATE INDEX ks_graph_replay IF NOT EXISTS FOR (n:Graph) ON (n.heads_after)
;
CALL db.awaitIndexes(120)
;
