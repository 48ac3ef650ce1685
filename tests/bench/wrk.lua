-- What wrk sends: the body of one of the people, the same each time. It is the floor, not a rival.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"address":{"city":"Heidelberg","country":"DE","street":"1 Analytical Way"},"consent":true,'
  .. '"email":"ada.1@customers.example.com","external_id":"c0000001","name":{"first":"Ada","last":"Lovelace-1"},'
  .. '"phone":"+4915550000001","plan":"plus","score":"1","tags":["newcomer","DE","plus"]}'
