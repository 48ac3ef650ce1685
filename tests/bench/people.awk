# People with attributes enough for a JSON of some 300 bytes: awk -v count=N -f people.awk
BEGIN {
  print "id,first_name,last_name,email,phone,street,city,country,plan,score,consent"
  for (i = 1; i <= count; i++)
    printf "c%07d,Ada,Lovelace-%d,ada.%d@customers.example.com,+4915550%06d,%d Analytical Way,Heidelberg,DE,%s,%d,%s\n",
      i, i % 1000, i, i % 1000000, i % 97, i % 3 ? "plus" : "free", i % 100, i % 2 ? "yes" : "no"
}
