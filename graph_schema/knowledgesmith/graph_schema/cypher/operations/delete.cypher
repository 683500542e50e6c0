// purpose: forget an operation that has ended
// params: id
// returns: state
// access: write
MATCH (o:Operation {id: $id})
WITH o, o.state AS state
CALL (o, state) {
  WITH o, state
  WHERE state <> 'RUNNING'
  DETACH DELETE o
}
RETURN state
