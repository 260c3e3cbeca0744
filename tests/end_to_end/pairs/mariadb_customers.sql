== first
-- rows: select * from cust order by id; select * from inv order by id; select * from v_cust order by 1
create table cust (id int not null auto_increment primary key, nm varchar(20) not null, key nm (nm));
create table inv (id int not null auto_increment primary key, cust_id int not null, amt decimal(8,2), constraint inv_cust foreign key (cust_id) references cust (id) on delete cascade on update cascade);
create view v_cust as select c.id, c.nm, count(i.id) as n from cust c left join inv i on i.cust_id = c.id group by c.id, c.nm;
insert into cust (nm) values ('a'),('b');
insert into inv (cust_id,amt) values (1,5),(1,6),(2,7);
== second
-- rows: select id, name from customer order by id; select id, customer_id, amt from inv order by id; select * from v_cust order by 1
-- was: table.customer cust
-- was: table.customer.columns.name nm
-- was: table.inv.columns.customer_id cust_id
-- arrives: select id, name from customer order by id; select id, customer_id, amt from inv order by id; select * from v_cust order by 1
create table customer (id int not null auto_increment primary key, name varchar(40) not null, email varchar(80) null, key name (name), unique key email (email));
create table inv (id int not null auto_increment primary key, customer_id int not null, amt decimal(10,2) not null default 0, constraint inv_customer foreign key (customer_id) references customer (id) on delete restrict on update cascade);
create view v_cust as select c.id, c.name, count(i.id) as n from customer c left join inv i on i.customer_id = c.id group by c.id, c.name;
insert into customer (name) values ('a'),('b');
insert into inv (customer_id,amt) values (1,5),(1,6),(2,7);
== first again
-- was: table.cust customer
-- was: table.cust.columns.nm name
-- was: table.inv.columns.cust_id customer_id
create table cust (id int not null auto_increment primary key, nm varchar(20) not null, key nm (nm));
create table inv (id int not null auto_increment primary key, cust_id int not null, amt decimal(8,2), constraint inv_cust foreign key (cust_id) references cust (id) on delete cascade on update cascade);
create view v_cust as select c.id, c.nm, count(i.id) as n from cust c left join inv i on i.cust_id = c.id group by c.id, c.nm;
insert into cust (nm) values ('a'),('b');
insert into inv (cust_id,amt) values (1,5),(1,6),(2,7);
