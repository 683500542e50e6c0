// Names and aliases by what a reader sees of them. The analyser takes a key as a whole: one that parts texts into words
// would lose signs such as those of "C++", and would not know the words of every script.
CREATE FULLTEXT INDEX ks_entity_name_keys IF NOT EXISTS FOR (n:Entity) ON EACH [n.graph_id, n.name_keys]
OPTIONS {indexConfig: {`fulltext.analyzer`: 'keyword', `fulltext.eventually_consistent`: false}}
;
CALL db.awaitIndexes(120)
;
